/** After each spec file nothing that it opened is left: no socket, no server, no child process. */
import { afterAll, beforeAll, expect, vi } from 'vitest';

const watched = /^(UDPWrap|TCPSocketWrap|TCPServerWrap|TLSWrap|PipeWrap|ProcessWrap|FSEventWrap)$/;
const graceMs = 2_000;

const open = (): string[] => process.getActiveResourcesInfo().filter((kind) => watched.test(kind)).sort();

let before: string[] = [];

beforeAll(() => {
  before = open();
});

afterAll(async () => {
  // A socket that was closed is gone a turn of the loop or two later.
  await vi.waitFor(
    () => {
      expect(open(), 'left open by this file').toEqual(before);
    },
    { timeout: graceMs },
  );
});
