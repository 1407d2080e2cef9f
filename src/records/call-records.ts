/** The record of each call: taken at its end without keeping it waiting, written with others, kept for a time. */
import { BatchWriter, type BatchLimits, type BatchPorts } from './batch-writer.js';
import type { EndedCall } from './call-record.js';
import type { RecordStore } from './record-store.js';
import { Retention } from './retention.js';

/** A record is about 1 KB: 20 MB wait at most, the calls of an hour at 5 a second. */
const limits: BatchLimits = { everyMs: 250, mostAtOnce: 500, mostWaiting: 20_000 };

export interface RecordSettings {
  readonly node: string;
  /** How long a record is kept, milliseconds. */
  readonly keepMs: number;
}

export class CallRecords {
  readonly #writer: BatchWriter<EndedCall>;
  readonly #retention: Retention;

  constructor(
    { node, keepMs }: RecordSettings,
    store: Pick<RecordStore, 'write' | 'removeBefore'>,
    ports: BatchPorts,
  ) {
    this.#writer = new BatchWriter('call records', (calls) => store.write(calls, node), limits, ports);
    this.#retention = new Retention(keepMs, { ...ports, store });
  }

  /** Never throws, never waits. */
  add(call: EndedCall): void {
    this.#writer.add(call);
  }

  /** Writes what waits, if the database takes it. */
  async close(): Promise<void> {
    await this.#retention.close();
    await this.#writer.close();
  }
}
