import { join } from 'node:path';
import { defineConfig } from 'vite';

/**
 * Builds the wizard into static files that the daemon serves under a strict Content-Security-Policy: nothing is
 * inlined, neither scripts nor fonts, and nothing is fetched from elsewhere.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  cacheDir: join(import.meta.dirname, '..', '..', 'node_modules', '.vite-wizard'),
  // PatternFly's icons and React come as modules with a condition for production; nothing here runs in development.
  define: { 'process.env.NODE_ENV': JSON.stringify('production') },
  build: {
    outDir: process.env['REMUDA_WIZARD_OUT'] ?? join(import.meta.dirname, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      onLog(level, log, report) {
        // "use client" marks modules for servers that render; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
});
