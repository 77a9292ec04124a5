/** The package of the test release: a later version in the registry, beside the one that this checkout builds. */

import { cp } from "node:fs/promises";
import { NEXT, nextMigration } from "./next_release.ts";
import { publishedPackage } from "./package.ts";
import { publish } from "./registry.ts";

/** Its migration's name in the package. */
const MIGRATION = `20990101000000_symphony_${NEXT}.sql`;

/**
 * Publishes it, in a way that `npx symphony-messenger` without a version does not find it.
 * @returns its version
 */
export async function publishNextPackage(): Promise<string> {
  const { registry, folder, version } = publishedPackage();
  const built = `${folder}/next`;
  await cp(`${folder}/built`, built, { recursive: true });
  const { text } = await nextMigration();
  await Deno.writeTextFile(`${built}/migrations/${MIGRATION}`, text);
  const manifest = JSON.parse(await Deno.readTextFile(`${built}/package.json`));
  await Deno.writeTextFile(
    `${built}/package.json`,
    JSON.stringify({ ...manifest, version: NEXT }, null, 2),
  );
  await changeVersion(`${built}/lib`, version);
  await publish(registry, built, "next");
  return NEXT;
}

/** The library and the command know their version by a constant. @throws Error if no file has it */
async function changeVersion(lib: string, from: string): Promise<void> {
  const constant = new RegExp(
    `\\b(VERSION|SCHEMA_VERSION) = "${from.replaceAll(".", "\\.")}"`,
    "g",
  );
  let count = 0;
  for await (const { name } of Deno.readDir(lib)) {
    if (!name.endsWith(".js")) continue;
    const text = await Deno.readTextFile(`${lib}/${name}`);
    const changed = text.replace(constant, (_, constant) => `${constant} = "${NEXT}"`);
    if (changed === text) continue;
    count++;
    await Deno.writeTextFile(`${lib}/${name}`, changed);
  }
  if (count === 0) throw new Error(`${lib}: no file has VERSION = "${from}"`);
}
