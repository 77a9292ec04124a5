/**
 * The same modules for programs in CommonJS, made of the ES modules that were built: Jest, older servers in Node and
 * some bundlers require them. They share chunks as those do, so that a class is one class for `require` as well.
 */

import { dirname, join } from "node:path/posix";
import { build } from "esbuild";
import ts from "typescript";
import { placeOf } from "./declarations.ts";
import { EXPORTS } from "./entries.ts";
import { TARGET } from "./javascript.ts";

/** Where the declarations of a module in CommonJS stand, by those of the ES module. */
export function commonJsPlaceOf(place: string): string {
  return place.replace(/\.d\.ts$/, ".d.cts");
}

/**
 * Writes `.cjs` files into `lib/`, and `.d.cts` files into `types/`.
 * @throws Error with esbuild's messages
 */
export async function writeCommonJs(folder: string): Promise<void> {
  const entries = EXPORTS.filter(({ isDual }) => isDual);
  const modules = await reachable(folder, entries.map(({ name }) => `lib/${name}.js`), ".js");
  await build({
    entryPoints: [...modules.keys()].map((path) => `${folder}/${path}`),
    outdir: `${folder}/lib`,
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    // Node finds the names of exports by a note that is written for it.
    platform: "node",
    target: TARGET,
    logLevel: "warning",
  });
  for (const path of modules.keys()) {
    const file = `${folder}/${path.replace(/\.js$/, ".cjs")}`;
    await Deno.writeTextFile(file, withEnding(await Deno.readTextFile(file)));
  }
  const declared = await reachable(folder, entries.map(({ source }) => placeOf(source)), ".d.ts");
  for (const [path, text] of declared) {
    await Deno.writeTextFile(`${folder}/${commonJsPlaceOf(path)}`, withEnding(text));
  }
}

/** The files that entries lead to by relative imports of `./x.js`, with their texts. */
async function reachable(
  folder: string,
  entries: readonly string[],
  ending: string,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    const text = await Deno.readTextFile(`${folder}/${path}`);
    found.set(path, text);
    const from = dirname(path);
    waiting.push(
      ...relativeImports(text).map(({ fileName }) => join(from, fileName.replace(/\.js$/, ending))),
    );
  }
  return found;
}

function relativeImports(text: string): ts.FileReference[] {
  return ts.preProcessFile(text, true, true).importedFiles
    .filter(({ fileName }) => /^\..*\.js$/.test(fileName));
}

/** Lets relative imports and requires lead to files in CommonJS. */
function withEnding(text: string): string {
  return relativeImports(text).sort((a, b) => b.pos - a.pos).reduce((rest, { fileName, pos }) => {
    // The position is that of the quotation mark.
    const end = pos + 1 + fileName.length;
    return `${rest.slice(0, pos + 1)}${fileName.replace(/\.js$/, ".cjs")}${rest.slice(end)}`;
  }, text);
}
