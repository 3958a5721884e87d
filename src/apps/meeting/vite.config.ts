import { join } from 'node:path';
import { defineConfig } from 'vite';

const root = join(import.meta.dirname, '..', '..', '..');
const own = (file: string) => join(import.meta.dirname, 'client', 'browser', file);

/**
 * The browser client. `protocols/sip` is written for Node: what it takes of node:crypto and node:buffer comes from small files of
 * ours on top of libraries, and `Buffer` from the library of that name.
 */
export default defineConfig({
  root: join(import.meta.dirname, 'client'),
  base: '/',
  logLevel: 'warn',
  resolve: {
    alias: [
      { find: 'node:crypto', replacement: own('node-crypto.ts') },
      { find: 'node:buffer', replacement: own('node-buffer.ts') },
      { find: /^#((?:kernel|protocols\/[a-z-]+))$/, replacement: `${join(root, 'src')}/$1/index.ts` },
    ],
  },
  build: {
    outDir: join(root, 'dist', 'meeting'),
    emptyOutDir: true,
    target: 'es2022',
    // Everything is a file of its own: the policy of the page allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_500,
    rolldownOptions: {
      transform: { inject: { Buffer: ['buffer', 'Buffer'] } },
      // Rooms are whole behind their doors; of what a door shows, only what is used has to be in the page.
      treeshake: {
        moduleSideEffects: (id) => !/\/src\/(?:kernel|protocols)\/|\/saxes\/|\/xmlchars\//.test(id),
      },
    },
  },
  worker: { format: 'es' },
});
