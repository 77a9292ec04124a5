/**
 * Makes the frontends' modules small. A page's bundler shortens the names of variables and nothing else of what
 * follows: properties that no caller sees get short names, constants and functions that are used once move to their
 * place, and functions become arrow functions.
 */

import type { Plugin } from "esbuild";
import { minify } from "terser";
import ts from "typescript";

/** Names of properties that only our own files read and write. No public type, request or answer has one of them. */
export const INTERNAL_PROPERTIES =
  /^(adjust|changedAt|failure|isOn|known|owner|pollAt|put|tell|tells|toldAt)$/;

/** Lets the functions at the top of a frontend's sources be arrow functions, line by line as they were. */
export const arrowFunctions: Plugin = {
  name: "arrow-functions",
  setup({ onLoad }) {
    onLoad({ filter: /\/client\/.*\.ts$/ }, async ({ path }) => ({
      contents: withArrows(await Deno.readTextFile(path)),
      loader: "ts",
    }));
  },
};

/** Turns each `function name(...) {...}` at the top of a module into `const name = (...) => {...};`. */
function withArrows(text: string): string {
  const { statements } = ts.createSourceFile("module.ts", text, ts.ScriptTarget.ES2022, true);
  return statements.filter(ts.isFunctionDeclaration).reverse().reduce((rest, declared) => {
    const { name, body, asteriskToken, modifiers = [] } = declared;
    if (!name || !body || asteriskToken) return rest;
    const has = (kind: ts.SyntaxKind) => modifiers.some((modifier) => modifier.kind === kind);
    const before = has(ts.SyntaxKind.ExportKeyword) ? "export const" : "const";
    const after = has(ts.SyntaxKind.AsyncKeyword) ? "async " : "";
    return [
      rest.slice(0, declared.getStart()),
      `${before} ${name.text} = ${after}`,
      rest.slice(name.end, body.getStart()),
      `=> ${rest.slice(body.getStart(), body.end)};`,
      rest.slice(body.end),
    ].join("");
  }, text);
}

/**
 * Writes a module again in less code. The names of its variables stay.
 * @throws Error with terser's message
 */
export async function compress(path: string): Promise<void> {
  const file = path.replace(/^.*\//, "");
  const { code } = await minify({ [file]: await Deno.readTextFile(path) }, {
    module: true,
    ecma: 2020,
    // `"use client"` is a directive.
    compress: { passes: 3, reduce_funcs: false, directives: false },
    mangle: false,
    format: { beautify: true, indent_level: 2, preserve_annotations: true },
  });
  if (code === undefined) throw new Error(`${file}: no code`);
  await Deno.writeTextFile(path, code);
}
