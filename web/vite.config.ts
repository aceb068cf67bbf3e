import { defineConfig } from 'vite';
import react from '@vitejs/plugin-react';

// `npm run dev` asks the API of a server that runs already.
const server = 'http://127.0.0.1:7171';

export default defineConfig({
  base: './',
  plugins: [react()],
  server: { proxy: { '/api': server, '/e': server } },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0, // the page's policy allows no data: fonts or scripts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
});
