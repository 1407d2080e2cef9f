/**
 * Builds the pages into dist/pages: `messenger/`, which the reference host serves, and `console/`, which the administration interface
 * does. Nothing is inline, so that both can be served under a strict Content-Security-Policy, and nothing comes from elsewhere.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = fileURLToPath(new URL('.', import.meta.url));

export default defineConfig({
  root: here,
  base: './',
  logLevel: 'warn',
  build: {
    outDir: fileURLToPath(new URL('../../dist/pages', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // A file of a few hundred bytes would else be written into another as a data: address, which the policy forbids.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['messenger/index.html', 'console/index.html'].map((page) => `${here}${page}`) },
  },
});
