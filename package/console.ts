/**
 * Builds the console, a static page: index.html, and beside it scripts and a style sheet whose names have the hash of
 * their content.
 *
 *   deno task console:build [folder]
 */

import { build, type Metafile, stop } from "esbuild";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SOURCE = `${ROOT}console`;

/** Where the console stands in a checkout, unless another folder is named. */
export const CONSOLE_DIR = `${ROOT}dist/console`;

/** The syntax that browsers of the last three years know. */
const TARGET = ["chrome115", "firefox115", "safari16.4"];

/**
 * Builds the console into a folder, which is emptied first.
 * @returns which source went into which file
 * @throws Error with esbuild's messages
 */
export async function buildConsole(folder: string): Promise<Metafile> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [
      { in: `${SOURCE}/main.tsx`, out: "app" },
      { in: `${SOURCE}/styles/main.css`, out: "app" },
    ],
    outdir: folder,
    entryNames: "[name]-[hash]",
    chunkNames: "chunk-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    jsx: "automatic",
    jsxImportSource: "preact",
    target: TARGET,
    // Libraries leave out their checks for development.
    define: { "process.env.NODE_ENV": '"production"' },
    metafile: true,
    logLevel: "warning",
  });
  await writePage(folder, metafile);
  await Deno.copyFile(`${SOURCE}/icon.svg`, `${folder}/icon.svg`);
  return metafile;
}

/** Ends esbuild's process, which waits for further builds otherwise. */
export const endBuilds = (): Promise<void> => stop();

/** index.html names the files of this build, and asks for all that the first page needs at once. */
async function writePage(folder: string, { outputs }: Metafile): Promise<void> {
  const names = new Map<string, string>();
  const early: string[] = [];
  for (const [path, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint?.endsWith("styles/main.css")) names.set("app.css", basename(path));
    if (!entryPoint?.endsWith("console/main.tsx")) continue;
    names.set("app.js", basename(path));
    early.push(...importedBy(path, outputs));
  }
  const page = await Deno.readTextFile(`${SOURCE}/index.html`);
  const named = page.replace(/\.\/(app\.(?:css|js))/g, (_, name) => {
    const found = names.get(name);
    if (!found) throw new Error(`index.html: no file ${name} was built`);
    return `./${found}`;
  });
  const links = early.map((name) => `    <link rel="modulepreload" href="./${name}">\n`).join("");
  await Deno.writeTextFile(`${folder}/index.html`, named.replace("  </head>", `${links}  </head>`));
}

/** Names of the chunks that a file cannot do without, and of theirs. */
export function importedBy(path: string, outputs: Metafile["outputs"]): string[] {
  const found = new Set<string>();
  const waiting = [path];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const { kind, path } of outputs[next]?.imports ?? []) {
      if (kind !== "import-statement" || found.has(path)) continue;
      found.add(path);
      waiting.push(path);
    }
  }
  return [...found].map((path) => basename(path));
}

if (import.meta.main) {
  const folder = resolve(Deno.args[0] ?? CONSOLE_DIR);
  await buildConsole(folder);
  console.log(`The console is built in ${folder}`);
  await endBuilds();
}
