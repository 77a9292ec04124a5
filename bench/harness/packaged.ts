/** The function `dispatch` of a project that imports the npm package, as users deploy it. */

import { NAME, ROOT } from "../../package/entries.ts";
import { buildPackage } from "../../package/build.ts";
import type { ColdFunction, FunctionHost } from "./functions.ts";

/** The packages that the package imports. */
const PACKAGES = ["hono", "zod", "@supabase/supabase-js"];
const FUNCTION = `import { defineMessage, z } from "${NAME}";
import { createDispatch } from "${NAME}/edge";

const Noop = defineMessage({
  type: "Noop",
  schema: z.object({ n: z.number().int(), text: z.string() }),
  handler: () => {},
});
export default createDispatch({ messages: [Noop] });
`;

/**
 * Builds the package into a project of its own, whose function takes the place of the one of the sources.
 * @param folder an empty folder
 */
export async function preparePackaged(
  host: FunctionHost,
  asked: ColdFunction,
  folder: string,
): Promise<{ readonly host: FunctionHost; readonly asked: ColdFunction }> {
  const modules = `${folder}/node_modules`;
  await Deno.mkdir(`${modules}/@supabase`, { recursive: true });
  await buildPackage(`${modules}/${NAME}`);
  for (const name of PACKAGES) {
    await Deno.symlink(await Deno.realPath(`${ROOT}node_modules/${name}`), `${modules}/${name}`);
  }
  const dependencies = Object.fromEntries([NAME, ...PACKAGES].map((name) => [name, "*"]));
  const files = {
    "deno.json": JSON.stringify({ nodeModulesDir: "manual" }),
    "package.json": JSON.stringify({ dependencies }),
    "import_map.json": JSON.stringify({ imports: {} }),
    "index.ts": FUNCTION,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  return {
    host: { ...host, config: `${folder}/deno.json`, importMap: `${folder}/import_map.json` },
    asked: { ...asked, label: `${asked.name} of the package`, entrypoint: `${folder}/index.ts` },
  };
}
