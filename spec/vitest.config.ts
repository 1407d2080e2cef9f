import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * `unit`: everything that needs nothing but Node. `fuzz`: a minute of spoilt messages into a stack. `rig`: two stacks call each other 10,000
 * times over a bad network. `interop`: real servers from Debian's packages, one file at a time.
 */
const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  test: {
    reporters: ['default'],
    projects: [
      {
        root,
        test: {
          name: 'unit',
          // One process for many files: reading SIP.js and ours anew for each costs half of the time.
          isolate: false,
          include: ['spec/**/*.spec.ts'],
          exclude: ['spec/interop/**', 'spec/bench/**', 'spec/fuzz/**', 'spec/sip/rig/two-parties.spec.ts'],
          setupFiles: ['spec/support/leaks.ts'],
          testTimeout: 20_000,
          // A machine that is busy with other things answers late: that is no fault of what is waited for.
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        root,
        test: {
          name: 'fuzz',
          include: ['spec/fuzz/**/*.spec.ts'],
          testTimeout: 300_000,
        },
      },
      {
        root,
        test: {
          name: 'rig',
          include: ['spec/sip/rig/two-parties.spec.ts'],
        },
      },
      {
        root,
        test: {
          name: 'interop',
          include: ['spec/interop/**/*.spec.ts'],
          globalSetup: ['spec/interop/support/install.ts', 'spec/interop/support/built.ts'],
          setupFiles: ['spec/support/leaks.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
    ],
  },
});
