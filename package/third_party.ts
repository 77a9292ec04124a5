/** The licences of packages whose code is bundled: their authors ask that the text comes along. */

import type { Metafile } from "esbuild";
import { ROOT } from "./entries.ts";

/** Licences that let their code be bundled into ours, by their SPDX names. */
const PERMISSIVE = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"]);
const LICENSE_FILE = /^licen[cs]e(\.(md|txt))?$/i;

/**
 * The text that names each bundled package with its licence.
 * @throws Error if a package's licence is not one that permits it
 */
export async function thirdPartyLicenses(outputs: Metafile["outputs"]): Promise<string> {
  const folders = new Set(
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).flatMap(
        ([path]) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(path) ?? [],
      )
    ),
  );
  const parts = await Promise.all([...folders].sort().map(describe));
  return ["# Licences of the packages whose code is in lib/ and console/\n", ...parts].join("\n");
}

async function describe(folder: string): Promise<string> {
  const path = `${ROOT}${folder}`;
  const { name, version, license, author, repository } = JSON.parse(
    await Deno.readTextFile(`${path}package.json`),
  );
  if (!PERMISSIVE.has(license)) throw new Error(`${name}: has the licence ${license}`);
  const file = [...Deno.readDirSync(path)].find((entry) => LICENSE_FILE.test(entry.name));
  // Some name their licence and do not include its text.
  const text = file
    ? await Deno.readTextFile(path + file.name)
    : `Copyright ${author?.name ?? author ?? "its authors"}, ${repository?.url ?? repository}`;
  return `## ${name} ${version} (${license})\n\n\`\`\`\n${text.trim()}\n\`\`\`\n`;
}
