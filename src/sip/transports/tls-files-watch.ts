/**
 * Notices that the files of our TLS identity were replaced: certificates are renewed while the process runs. What is new holds for new
 * connections. Files that cannot be used are told once, and what was read before goes on holding.
 */
import { stat } from 'node:fs/promises';
import type { Clock, Timer } from '../../base/clock.js';
import { second } from '../../base/units.js';
import { readTlsIdentity, type TlsFiles, type TlsIdentity } from './tls-identity.js';

/** How often the files are looked at, milliseconds. */
export const tlsPollMs = 10 * second;

export interface TlsFilesEvents {
  onChanged(identity: TlsIdentity): void;
  /** They cannot be used; the sentence names the setting and the file. */
  onUnusable(error: Error): void;
}

export class TlsFilesWatch {
  readonly #hasFiles: boolean;
  #timer: Timer | undefined;
  #isClosed = false;

  /** @param seen `looksOf` the files, from before they were read */
  constructor(
    private readonly clock: Clock,
    private readonly files: TlsFiles,
    private seen: string,
    private readonly events: TlsFilesEvents,
  ) {
    this.#hasFiles = pathsOf(files).length > 0;
    this.#rest();
  }

  /** Nothing is told after it. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #rest(): void {
    if (this.#isClosed || !this.#hasFiles) return;
    this.#timer = this.clock.after(tlsPollMs, () => {
      void this.#look().finally(() => {
        this.#rest();
      });
    });
  }

  async #look(): Promise<void> {
    const now = await looksOf(this.files);
    if (now === this.seen) return;
    this.seen = now;
    const identity = await readTlsIdentity(this.files).catch((thrown: unknown) => (thrown instanceof Error ? thrown : new Error(String(thrown))));
    if (this.#isClosed) return;
    if (identity instanceof Error) this.events.onUnusable(identity);
    else this.events.onChanged(identity);
  }
}

function pathsOf({ ca, cert, key }: TlsFiles): readonly string[] {
  return [ca, cert, key].filter((path) => path !== undefined);
}

/** What changes when a file does. Never rejects. */
export async function looksOf(files: TlsFiles): Promise<string> {
  const looks = pathsOf(files).map(async (path) => {
    const { ino, size, mtimeMs } = await stat(path);
    return `${ino} ${size} ${mtimeMs}`;
  });
  return (await Promise.allSettled(looks)).map((look) => (look.status === 'fulfilled' ? look.value : 'missing')).join(', ');
}
