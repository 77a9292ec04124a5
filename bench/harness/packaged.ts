/** The functions of a project that imports the npm package, as users deploy them. */

import { NAME, ROOT } from "../../package/entries.ts";
import { buildPackage } from "../../package/build.ts";
import type { ColdFunction, FunctionHost } from "./functions.ts";

/** The packages that the package imports. */
const PACKAGES = ["hono", "zod", "@supabase/supabase-js"];
/** The function of `symphony-messenger/edge` that makes each of them. */
const DOORS = { dispatch: "createDispatch", tick: "createTick", messenger: "createManagement" };

const textOf = (door: keyof typeof DOORS) =>
  `import { defineMessage, z } from "${NAME}";
import { ${DOORS[door]} } from "${NAME}/edge";

const Noop = defineMessage({
  type: "Noop",
  schema: z.object({ n: z.number().int(), text: z.string() }),
  handler: () => {},
});
export default ${DOORS[door]}({ messages: [Noop] });
`;

/** A function, and how its processes are started. */
export interface Hosted {
  readonly asked: ColdFunction;
  readonly host: FunctionHost;
}

/**
 * Builds the package into a project of its own, whose functions take the place of those of the sources.
 * @param doors the functions of the sources, by their names
 * @param folder an empty folder
 */
export async function preparePackaged(
  host: FunctionHost,
  doors: Readonly<Record<keyof typeof DOORS, ColdFunction>>,
  folder: string,
): Promise<Hosted[]> {
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
    "dispatch.ts": textOf("dispatch"),
    "tick.ts": textOf("tick"),
    "messenger.ts": textOf("messenger"),
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  const own = {
    ...host,
    config: `${folder}/deno.json`,
    importMap: `${folder}/import_map.json`,
  };
  return Object.entries(doors).map(([door, asked]) => ({
    host: own,
    asked: { ...asked, label: `${asked.name} of the package`, entrypoint: `${folder}/${door}.ts` },
  }));
}
