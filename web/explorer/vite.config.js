import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// GraphiQL's style sheet carries its fonts as data: addresses, which the page's
// Content-Security-Policy forbids. The page uses the system's fonts instead.
const withoutFonts = {
  name: 'without-fonts',
  enforce: 'pre',
  transform: {
    filter: { id: /graphiql.*\.css$/ },
    handler: (css) => css.replace(/@font-face\s*\{[^}]*\}/g, ''),
  },
};

// A .br and a .gz beside every script, style sheet and text, so that the server compresses nothing.
const compressed = {
  name: 'compressed',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      for (const [fileName, file] of Object.entries(bundle)) {
        if (!/\.(js|css|txt)$/.test(fileName)) continue;
        const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source);
        if (bytes.length < 1024) continue;
        this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotliCompressSync(bytes) });
        this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(bytes, { level: 9 }) });
      }
    },
  },
};

export default defineConfig({
  base: '/graphql/',
  plugins: [withoutFonts, react(), compressed],
  resolve: {
    alias: {
      // A dependency of GraphiQL's dialogs that writes <style> elements; see the file.
      'react-style-singleton': fileURLToPath(new URL('src/style-singleton.ts', import.meta.url)),
    },
  },
  build: {
    assetsInlineLimit: 0, // nothing as data:
    modulePreload: { polyfill: false },
    license: { fileName: 'assets/static/licenses.txt' },
  },
});
