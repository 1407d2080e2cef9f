/**
 * What is known of a registration that does not simply stand or wait for its first turn. Of a hundred thousand few have one at any time,
 * so it is an object of its own, made when there is something to say and dropped when the registration sleeps until its refresh.
 */
export interface Trouble {
  /** The state before the try that is on its way. */
  settled: 'waiting' | 'retrying' | 'parked';
  /** REGISTERs that failed since the last success. */
  failures: number;
  /** A connection that worked was lost and it has not been registered since: tried again sooner. */
  isAfterFlowLoss: boolean;
  /** 423s answered at once since the last wait. */
  briefRepeats: number;
  /** Our corrected Contact has been registered since the last wait. */
  isCorrected: boolean;
  /** What came while a REGISTER was on its way and waits for its answer. */
  deferred: 'flow lost' | 'row changed' | undefined;
  /** The last final status, where one came. */
  code: number | undefined;
  /** What is wrong, as a sentence. */
  words: string | undefined;
  /** They have been logged. */
  isTold: boolean;
}

export const noTrouble: Readonly<Trouble> = Object.freeze({
  settled: 'waiting',
  failures: 0,
  isAfterFlowLoss: false,
  briefRepeats: 0,
  isCorrected: false,
  deferred: undefined,
  code: undefined,
  words: undefined,
  isTold: false,
});
