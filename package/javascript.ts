/**
 * The package's JavaScript. The entries share chunks, so that a class is one class whichever of them a user
 * imports it from, and `import()` starts a chunk of its own, so that `dispatch` does not load the worker.
 *
 * Edge functions carry whole packages. Small dependencies are therefore bundled, of which only what is used
 * remains: @hono/zod-openapi alone would bring a parser of YAML, and @supabase/server adapters of frameworks.
 */

import { build, type Metafile, type Plugin } from "esbuild";
import { EXPORTS, PROGRAMS, ROOT, ZOD_CHECK } from "./entries.ts";

/** Packages that stay imports: a user's code shares them with ours. */
export const EXTERNAL = ["hono", "@supabase/supabase-js", "zod"];

/** The newest syntax that Deno 2.1.4 and Node 20 both know. Given engines by name, esbuild makes `import()` a `require`. */
const TARGET = "es2022";

/**
 * Writes `lib/` below the folder.
 * @returns what went into which file
 * @throws Error with esbuild's messages
 */
export async function writeJavaScript(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [...EXPORTS, ...PROGRAMS].map(({ name, source }) => ({ in: source, out: name })),
    outdir: `${folder}/lib`,
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "node"],
    target: TARGET,
    external: [...EXTERNAL.flatMap((name) => [name, `${name}/*`]), "node:*"],
    plugins: [requiredNodeModules],
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: "warning",
  });
  await checkZodFirst(`${folder}/lib`);
  return metafile;
}

/**
 * Lets each file that uses zod import the check of its version first: esbuild does not keep the order in which chunks
 * run. The import shares the first line, so that source maps stay right.
 */
async function checkZodFirst(lib: string): Promise<void> {
  const names = [...Deno.readDirSync(lib)].map(({ name }) => name).filter((name) =>
    name.endsWith(".js")
  );
  const texts = new Map(
    await Promise.all(
      names.map(async (name) => [name, await Deno.readTextFile(`${lib}/${name}`)] as const),
    ),
  );
  const check = texts.get(`${ZOD_CHECK}.js`) ?? "";
  for (const [name, text] of texts) {
    const isCheck = name === `${ZOD_CHECK}.js` || check.includes(`"./${name}"`);
    if (isCheck || !/from "zod"/.test(text)) continue;
    await Deno.writeTextFile(`${lib}/${name}`, `import "./${ZOD_CHECK}.js"; ${text}`);
  }
}

/**
 * CommonJS in a bundle, such as commander, requires Node's modules, and an ES module has no `require`. Their default
 * export is what `require` returns.
 */
const requiredNodeModules: Plugin = {
  name: "required-node-modules",
  setup({ onLoad, onResolve }) {
    onResolve(
      { filter: /^node:/ },
      ({ kind, path }) => kind === "require-call" ? { path, namespace: "required" } : null,
    );
    onResolve(
      { filter: /^default:/ },
      ({ path }) => ({ path: path.slice("default:".length), namespace: "default" }),
    );
    onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(`default:${path}`)}).default;`,
    }));
    onLoad({ filter: /.*/, namespace: "default" }, ({ path }) => ({
      contents: `export { default } from ${JSON.stringify(path)};`,
    }));
  },
};
