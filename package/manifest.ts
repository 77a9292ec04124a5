/** The package's package.json. */

import { type Entry, EXPORTS, NAME, ROOT } from "./entries.ts";
import { placeOf } from "./declarations.ts";
import { commonJsPlaceOf } from "./common_js.ts";
import { EXTERNAL } from "./javascript.ts";

/**
 * Dependencies whose copies a user's code has to share with ours, as ranges. zod is none of the optional ones: npm
 * would not install it for a server then, and a bundler leaves it out of a frontend all the same.
 */
const PEERS = { react: ">=18", zod: "^4.0.0" };
const OPTIONAL_PEERS = { react: { optional: true } };

/**
 * Makes the text of package.json. The versions of dependencies are those of import_map.json: a deploy through
 * Supabase's API reads no lock file, so that a range would take whatever is newest by then.
 * @param effects paths of the files that do something as they load
 * @throws Error if the import map does not pin a dependency
 */
export async function manifest(version: string, effects: readonly string[]): Promise<string> {
  const { imports }: { imports: Record<string, string> } = JSON.parse(
    await Deno.readTextFile(`${ROOT}import_map.json`),
  );
  const dependencies = EXTERNAL.filter((name) => !(name in PEERS)).sort();
  const content = {
    name: NAME,
    version,
    description:
      "A message bus with retries, a dead letter queue and a scheduler inside a Supabase project.",
    keywords: ["supabase", "queue", "message-bus", "scheduler", "cron", "edge-functions", "deno"],
    license: "MIT",
    type: "module",
    exports: Object.fromEntries([
      ...EXPORTS.map((entry) => [entry.subpath, targetsOf(entry)]),
      ["./package.json", "./package.json"],
    ]),
    bin: { [NAME]: "lib/bin.js" },
    files: [
      "lib",
      "types",
      "console",
      "migrations",
      "docs",
      "CHANGELOG.md",
      "THIRD_PARTY_LICENSES.md",
    ],
    // The command and ./client run on Node 20; the dependencies of the rest ask for 22 themselves.
    engines: { node: ">=20.0.0", deno: ">=2.1.4" },
    dependencies: Object.fromEntries(dependencies.map((name) => [name, pinned(imports, name)])),
    peerDependencies: PEERS,
    peerDependenciesMeta: OPTIONAL_PEERS,
    // A bundler may leave the others out where nothing of them is used.
    sideEffects: effects,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

/** A module in CommonJS has declarations of its own: TypeScript takes those of an ES module for one. */
function targetsOf({ name, source, isDual }: Entry): object {
  const module = { types: `./${placeOf(source)}`, default: `./lib/${name}.js` };
  if (!isDual) return module;
  const required = { types: `./${commonJsPlaceOf(placeOf(source))}`, default: `./lib/${name}.cjs` };
  return { import: module, require: required };
}

function pinned(imports: Readonly<Record<string, string>>, name: string): string {
  const [, version] = /^npm:@?[^@]+@(\d+\.\d+\.\d+)$/.exec(imports[name] ?? "") ?? [];
  if (version === undefined) throw new Error(`import_map.json: ${name} has no exact version`);
  return version;
}
