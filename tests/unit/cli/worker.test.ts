/** The command `worker`: its flags, the Deno that it takes, and the command line that it makes. */

import {
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { run } from "../../../cli/main.ts";
import { UsageError } from "../../../cli/errors.ts";
import { findDeno, isOlder } from "../../../cli/worker/deno.ts";
import { withDenoConfig } from "../../../cli/worker/deno-config.ts";
import { entryOf } from "../../../cli/worker/entry.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const KEYS: Record<string, string> = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_SECRET_KEY: "sb_secret_x",
};

async function worker(flags: readonly string[], variables = KEYS) {
  let note = "";
  const code = await run(["worker", "--workdir", ROOT, ...flags], {
    variable: (name) => variables[name],
    print: () => {},
    note: (text) => void (note += text),
    input: () => Promise.resolve(""),
    columns: undefined,
    showsProgress: false,
    signal: new AbortController().signal,
    now: () => new Date(),
  });
  return [code, note] as const;
}

Deno.test("a wrong flag is named with what it takes, and nothing starts", async () => {
  for (
    const [flags, problem] of [
      [["--queues", "a,,b"], "--queues: has to be names separated by commas (a,,b)"],
      [["--concurrency", "0"], "--concurrency: has to be a whole number from 1 to 1000 (0)"],
      [["--grace", "-1"], "--grace: has to be a number of seconds, from 0 to 86400 (-1)"],
      [["--url", "nowhere"], "--url: is no URL (nowhere)"],
      [["--deno", "/no/deno"], "--deno: does not run (/no/deno)"],
      [["--messages", "none.ts", "--deno", Deno.execPath()], "--messages: there is no"],
    ] as const
  ) {
    const [code, note] = await worker(flags);
    assertEquals(code, 2, note);
    assertStringIncludes(note, problem);
  }
});

Deno.test("without a URL or a key it says which variable holds it", async () => {
  assertMatch((await worker([], {}))[1], /--url: .*SUPABASE_URL/);
  const { SUPABASE_URL = "" } = KEYS;
  assertMatch((await worker([], { SUPABASE_URL }))[1], /--secret-key: .*SUPABASE_SECRET_KEY/);
});

Deno.test("a Deno that is named is found by its own path, and an older version is known", () => {
  assertEquals(findDeno({ given: Deno.execPath(), root: ROOT }), Deno.execPath());
  assertEquals(
    ["2.1.3", "2.1.4", "2.10.0", "1.46.3", "2.1.4-rc.1"].map((version) => isOlder(version)),
    [true, false, false, true, false],
  );
});

Deno.test("in a user's project the library and the messages come by the import map of the functions", async () => {
  const root = await Deno.makeTempDir();
  const folder = `${root}/supabase/functions/_messages`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/mod.ts`, "");
  const make = () => entryOf({ root, messages: undefined, options: {} });
  assertThrows(make, UsageError, "import_map.json: is missing; run `npx symphony-messenger init`");
  await Deno.writeTextFile(`${folder}/import_map.json`, "{}");
  const args = make();
  assertEquals(args.slice(2, 5), ["--no-config", "--import-map", `${folder}/import_map.json`]);
  assertStringIncludes(args.at(-1) ?? "", '["symphony-messenger/edge","file://');
  await Deno.remove(root, { recursive: true });
});

Deno.test("in a user's project Deno has the configuration that it is given, and no other", async () => {
  const root = await Deno.makeTempDir();
  const folder = `${root}/supabase/functions/_messages`;
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["mod.ts", "import_map.json"]) {
    await Deno.writeTextFile(`${folder}/${name}`, "");
  }
  const args = await withDenoConfig(async (config) => {
    const { minimumDependencyAge } = JSON.parse(await Deno.readTextFile(config));
    assertEquals(minimumDependencyAge, { exclude: ["npm:symphony-messenger"] });
    return entryOf({ root, messages: undefined, config, options: {} });
  });
  assertEquals(args.slice(2, 3), ["--config"]);
  await assertRejects(() => Deno.stat(args[3] ?? root), Deno.errors.NotFound);
  await Deno.remove(root, { recursive: true });
});
