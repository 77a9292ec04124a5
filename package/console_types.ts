/** Writes the types of the management API for the console, from docs/openapi.json. Part of `deno task openapi`. */

import openapiTS, { astToString } from "openapi-typescript";

const ROOT = new URL("../", import.meta.url);

/** Where the types stand. */
export const TYPES_FILE = new URL("console/api/openapi.gen.ts", ROOT);

const HEADING = `// Written by \`deno task openapi\` from docs/openapi.json.
// deno-fmt-ignore-file
// deno-lint-ignore-file
`;

/** The types, as they are committed. */
export async function consoleTypes(): Promise<string> {
  const document = JSON.parse(await Deno.readTextFile(new URL("docs/openapi.json", ROOT)));
  return `${HEADING}\n${astToString(await openapiTS(document))}`;
}

if (import.meta.main) await Deno.writeTextFile(TYPES_FILE, await consoleTypes());
