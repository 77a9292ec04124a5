/**
 * The package's JavaScript. The entries share chunks, so that a class is one class whichever of them a user
 * imports it from, and `import()` starts a chunk of its own, so that `dispatch` does not load the worker.
 *
 * It has no source maps: they were a fifth of the package, and lead to sources that no user has. The code is as
 * readable as it was written, and each part names its source in a comment.
 *
 * Edge functions carry whole packages. Small dependencies are therefore bundled, of which only what is used
 * remains: @hono/zod-openapi alone would bring a parser of YAML, @supabase/server adapters of frameworks, and hono 1.2 MB
 * of which our functions load 50 kB.
 */

import { resolve } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";
import { type Entry, EXPORTS, PROGRAMS, ROOT, ZOD_CHECK } from "./entries.ts";
import { arrowFunctions, compress, INTERNAL_PROPERTIES } from "./frontend.ts";

/** Packages that stay imports: a user's code shares them with ours. */
export const EXTERNAL = ["@supabase/supabase-js", "react", "zod"];

/** The newest syntax that Deno 2.1.4 and Node 20 both know. Given engines by name, esbuild makes `import()` a `require`. */
export const TARGET = "es2022";

/**
 * Writes `lib/` below the folder. Frontends have modules of their own, so that a page loads nothing of the server.
 * @returns which source went into which file
 * @throws Error with esbuild's messages
 */
export async function writeJavaScript(folder: string): Promise<Metafile> {
  const parts = [
    await bundle(folder, [...EXPORTS.filter((entry) => !entry.isDual), ...PROGRAMS]),
    await writeFrontends(folder),
  ];
  await checkZodFirst(`${folder}/lib`);
  return {
    inputs: Object.assign({}, ...parts.map(({ inputs }) => inputs)),
    outputs: Object.assign({}, ...parts.map(({ outputs }) => outputs)),
  };
}

/**
 * Writes the frontends' part of `lib/` alone.
 * @returns which source went into which file
 * @throws Error with the messages of esbuild or terser
 */
export async function writeFrontends(folder: string): Promise<Metafile> {
  const metafile = await bundle(folder, EXPORTS.filter(({ isDual }) => isDual), {
    mangleProps: INTERNAL_PROPERTIES,
    plugins: [arrowFunctions],
  });
  for (const path of Object.keys(metafile.outputs)) {
    if (path.endsWith(".js")) await compress(resolve(ROOT, path));
  }
  return metafile;
}

async function bundle(
  folder: string,
  entries: readonly Pick<Entry, "name" | "source">[],
  options: Pick<BuildOptions, "mangleProps" | "plugins"> = { plugins: [requiredNodeModules] },
): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: entries.map(({ name, source }) => ({ in: source, out: name })),
    outdir: `${folder}/lib`,
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    jsx: "automatic",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["import", "module", "node"],
    target: TARGET,
    external: [...EXTERNAL.flatMap((name) => [name, `${name}/*`]), "node:*"],
    ...options,
    metafile: true,
    logLevel: "warning",
  });
  return metafile;
}

/** The files that do something as they load: the command, and those with the check of zod's version. */
export function filesWithEffects({ outputs }: Metafile): string[] {
  const sources = PROGRAMS.map(({ source }) => source);
  return Object.entries(outputs)
    .filter(([file, { inputs }]) =>
      file.endsWith(".js") && sources.some((source) => inputs[source] !== undefined)
    )
    .map(([file]) => file.replace(/^.*\/lib\//, "./lib/")).concat(`./lib/${ZOD_CHECK}.js`).sort();
}

/**
 * Lets each file that uses zod import the check of its version first: esbuild does not keep the order in which chunks
 * run.
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
    await Deno.writeTextFile(`${lib}/${name}`, `import "./${ZOD_CHECK}.js";\n${text}`);
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
