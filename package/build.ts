/**
 * Builds the npm package:
 *
 *   deno task build [folder]
 *
 * The folder, `dist` if none is given, is ready for `npm pack` and `npm publish`. Its version is the one that
 * the schema says it is.
 */

import { resolve } from "node:path";
import { readSchemas, versionOf } from "../local/release_source.ts";
import { writeCommonJs } from "./common_js.ts";
import { buildConsole } from "./console.ts";
import { writeDeclarations } from "./declarations.ts";
import { ROOT } from "./entries.ts";
import { filesWithEffects, writeJavaScript } from "./javascript.ts";
import { manifest } from "./manifest.ts";
import { withoutDeadLinks } from "./prose.ts";
import { thirdPartyLicenses } from "./third_party.ts";

/** Files that come along, but for links that would be dead. */
const COPIED = ["README.md", "LICENSE", "CHANGELOG.md"];
const MIGRATIONS = "supabase/migrations";
/** Has the scripts that move jobs of other systems; the package keeps their path. */
const GUIDES = "docs/migrating";

/**
 * Builds the package into a folder, which is emptied first.
 * @returns its version
 * @throws Error if a part cannot be built
 */
export async function buildPackage(folder: string): Promise<string> {
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(`${folder}/migrations`, { recursive: true });
  await Deno.mkdir(`${folder}/${GUIDES}`, { recursive: true });
  const version = versionOf(await readSchemas());
  const metafile = await writeJavaScript(folder);
  await writeDeclarations(folder);
  await writeCommonJs(folder);
  for (const name of COPIED) {
    const text = withoutDeadLinks(await Deno.readTextFile(ROOT + name), new Set(COPIED));
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  await copySql(ROOT + MIGRATIONS, `${folder}/migrations`);
  await copySql(ROOT + GUIDES, `${folder}/${GUIDES}`);
  await Deno.writeTextFile(
    `${folder}/package.json`,
    await manifest(version, filesWithEffects(metafile)),
  );
  const page = await buildConsole(`${folder}/console`);
  await Deno.writeTextFile(
    `${folder}/THIRD_PARTY_LICENSES.md`,
    await thirdPartyLicenses({ ...metafile.outputs, ...page.outputs }),
  );
  await Deno.chmod(`${folder}/lib/bin.js`, 0o755);
  return version;
}

async function copySql(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    if (name.endsWith(".sql")) await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

if (import.meta.main) {
  const folder = resolve(Deno.args[0] ?? `${ROOT}dist`);
  console.log(`symphony-messenger ${await buildPackage(folder)} is built in ${folder}`);
}
