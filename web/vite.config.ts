import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The page itself comes from the server (Jinja templates); only script and styles are built.
export default defineConfig({
  base: "/static/",
  publicDir: false,
  plugins: [svelte()],
  build: {
    outDir: "../src/mobility/web/static",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rolldownOptions: { input: "src/main.ts" },
    chunkSizeWarningLimit: 1200,
  },
});
