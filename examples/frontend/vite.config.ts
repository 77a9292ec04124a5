/** How Vite serves the page. In a project of your own, `plugins` is all of it. */

import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The settings, for `vite` and for `serve.ts`. */
export default defineConfig({
  root: path("."),
  plugins: [react()],
  // This repository's sources in the place of the package.
  resolve: {
    alias: {
      "symphony-messenger/client": path("../../client/mod.ts"),
      "symphony-messenger/react": path("../../client/react/mod.ts"),
    },
  },
  server: { fs: { allow: [path("../..")] } },
  cacheDir: path("../../.local/vite"),
});
