/** The command `worker` of the installed package: npx runs it, it takes or fetches Deno, and it ends with npx. */

import { dirname } from "node:path";
import { assertEquals } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import { installedPackage, publishedPackage, type TemporaryFolder } from "../support/package.ts";
import { eventually, startTestStack, type TestStack } from "../support/stack.ts";

const ZOD = "zod@4.6.7";

/** TypeScript that Node does not run: it needs the types taken out, and an enum made. */
const MESSAGES = `import { defineMessage } from "symphony-messenger";
import { z } from "zod";

enum Place { Deno = "Deno" }
interface Told { readonly file: string }

export const messages = [defineMessage({
  type: "Told",
  schema: z.object({ file: z.string() }),
  queue: "heavy",
  runsOn: "worker",
  handler: async ({ file }: Told) => await Deno.writeTextFile(file, Place.Deno),
})];
`;

let stack: TestStack;
let folder: TemporaryFolder;

Deno.test.beforeAll(async () => {
  [stack, folder] = await Promise.all([startTestStack(), installedPackage([ZOD])]);
  const { name, version } = publishedPackage();
  const imports = {
    [name]: `npm:${name}@${version}`,
    [`${name}/`]: `npm:/${name}@${version}/`,
    zod: `npm:${ZOD}`,
  };
  await folder.write("supabase/config.toml", "");
  await folder.write("supabase/functions/_messages/import_map.json", JSON.stringify({ imports }));
  await folder.write("supabase/functions/_messages/mod.ts", MESSAGES);
});

Deno.test.afterAll(async () => {
  await folder[Symbol.asyncDispose]();
  await stack.stop();
});

/** Folders of programs, with this Node first. @param deno whether those of Deno are among them */
function pathOf(node: string, deno: boolean): string {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const others = folders.filter((folder) => !holdsDeno(folder));
  return [dirname(node), ...deno ? [dirname(Deno.execPath())] : [], ...others].join(":");
}

function holdsDeno(folder: string): boolean {
  try {
    return Deno.statSync(`${folder}/deno`).isFile;
  } catch {
    return false;
  }
}

/** Starts the worker by npx, and returns once it has handled a message. */
async function startAndUse(node: string, name: string, deno: boolean): Promise<Deno.ChildProcess> {
  const npx = new Deno.Command("npx", {
    args: ["symphony-messenger", "worker", "--name", name],
    cwd: folder.path,
    env: {
      ...publishedPackage().env,
      PATH: pathOf(node, deno),
      SUPABASE_URL: stack.url,
      SUPABASE_SECRET_KEY: stack.secretKey,
    },
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const file = `${folder.path}/${name}`;
  await stack.sql`
    select public.messenger_dispatch('Told', ${stack.sql.json({ file })}, queue => 'heavy')`;
  const ended = npx.status.then(({ code }) => {
    throw new Error(`npx ended with ${code} before its worker had handled a message`);
  });
  ended.catch(() => {});
  const handled = eventually(() => stack.count(), (count) => count === 0, 120_000);
  await Promise.race([handled, ended]);
  assertEquals(await Deno.readTextFile(file), "Deno");
  return npx;
}

const hasEnded = (name: string) =>
  eventually(
    () => stack.sql`select ended_at, report from public.messenger_ticks where worker = ${name}`,
    ([row]) => row?.ended_at !== null,
  );

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name:
    "under Node 22 and with Deno on PATH, npx runs the worker, and a SIGTERM to npx ends it in order",
  ...options,
  fn: async () => {
    const npx = await startAndUse(await nodePath(22), "term", true);
    npx.kill("SIGTERM");
    await npx.status;
    const [row] = await hasEnded("term");
    assertEquals(row?.report, { claimed: 1, handled: 1, retried: 0, failed: 0 });
  },
});

Deno.test({
  name:
    "under Node 20 and without a Deno, the worker fetches one, and ends in order when npx is killed",
  ...options,
  fn: async () => {
    const npx = await startAndUse(await nodePath(20), "kill", false);
    npx.kill("SIGKILL");
    await npx.status;
    const [row] = await hasEnded("kill");
    assertEquals(row?.report, { claimed: 1, handled: 1, retried: 0, failed: 0 });
  },
});
