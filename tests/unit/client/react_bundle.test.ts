/** The hooks as a browser gets them. */

import { assertEquals } from "@std/assert";
import { build } from "esbuild";

const ROOT = new URL("../../../", import.meta.url).pathname;
const CLIENT = 'export * from "./client/mod.ts";';
const HOOKS = 'export * from "./client/react/mod.ts";';
const REACT = 'export * as React from "react";';

/** A page with this content, minified. */
async function bundle(contents: string, external: string[] = []): Promise<string> {
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: ROOT, loader: "ts" },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false, external },
    define: { "process.env.NODE_ENV": '"production"' },
    tsconfigRaw: "{}",
  });
  return file?.text ?? "";
}

async function gzippedSize(contents: string): Promise<number> {
  const zipped = new Blob([await bundle(contents)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).bytes()).length;
}

Deno.test("the hooks add less than 2 kB with gzip to a page with React and the client", async () => {
  const added = await gzippedSize(CLIENT + REACT + HOOKS) - await gzippedSize(CLIENT + REACT);
  assertEquals([added < 2_000, added], [true, added]);
});

Deno.test("the hooks import React alone, and bring no copy of it", async () => {
  const text = await bundle(HOOKS, ["react"]);
  assertEquals(text.match(/from"[^"]*"/g), ['from"react"']);
});
