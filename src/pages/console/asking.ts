/** Answers of the server in a view: asked when it is shown, and again when something of `about` changes. */
import { useEffect, useState } from 'preact/hooks';
import { sentenceOf } from './refused.js';

export interface Answered<Answer> {
  /** The last one, while another is on its way too. */
  readonly answer: Answer | undefined;
  /** Why there is none, for a person; empty when all is well. */
  readonly trouble: string;
  readonly isAsking: boolean;
  readonly again: () => void;
}

export function useAnswer<Answer>(ask: (signal: AbortSignal) => Promise<Answer>, about: readonly unknown[]): Answered<Answer> {
  const [answer, setAnswer] = useState<Answer | undefined>(undefined);
  const [trouble, setTrouble] = useState('');
  const [isAsking, setAsking] = useState(true);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const given = new AbortController();
    setAsking(true);
    ask(given.signal).then(
      (value) => {
        if (given.signal.aborted) return;
        setAnswer(value);
        setTrouble('');
        setAsking(false);
      },
      (thrown: unknown) => {
        if (given.signal.aborted) return;
        setTrouble(sentenceOf(thrown));
        setAsking(false);
      },
    );
    return () => {
      given.abort();
    };
  }, [...about, round]);
  return {
    answer,
    trouble,
    isAsking,
    again: () => {
      setRound((before) => before + 1);
    },
  };
}

/** The time of day, moving. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => {
      setNow(Date.now());
    }, everyMs);
    return () => {
      window.clearInterval(timer);
    };
  }, [everyMs]);
  return now;
}
