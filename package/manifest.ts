/** The package's package.json. */

import { EXPORTS, NAME, ROOT } from "./entries.ts";
import { placeOf } from "./declarations.ts";
import { EXTERNAL } from "./javascript.ts";

/** A dependency whose copy a user's code has to share with ours, as a range. */
const PEERS = { zod: "^4.0.0" };

/**
 * Makes the text of package.json. The versions of dependencies are those of import_map.json: a deploy through
 * Supabase's API reads no lock file, so that a range would take whatever is newest by then.
 * @throws Error if the import map does not pin a dependency
 */
export async function manifest(version: string): Promise<string> {
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
      ...EXPORTS.map(({ subpath, name, source }) => [
        subpath,
        { types: `./${placeOf(source)}`, default: `./lib/${name}.js` },
      ]),
      ["./package.json", "./package.json"],
    ]),
    bin: { [NAME]: "lib/bin.js" },
    files: ["lib", "types", "migrations", "docs", "CHANGELOG.md", "THIRD_PARTY_LICENSES.md"],
    // The command and ./client run on Node 20; the dependencies of the rest ask for 22 themselves.
    engines: { node: ">=20.0.0", deno: ">=2.1.4" },
    dependencies: Object.fromEntries(dependencies.map((name) => [name, pinned(imports, name)])),
    peerDependencies: PEERS,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function pinned(imports: Readonly<Record<string, string>>, name: string): string {
  const [, version] = /^npm:@?[^@]+@(\d+\.\d+\.\d+)$/.exec(imports[name] ?? "") ?? [];
  if (version === undefined) throw new Error(`import_map.json: ${name} has no exact version`);
  return version;
}
