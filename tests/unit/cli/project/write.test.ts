/** Changes to a project on disk: all of them, or none. */

import { assertEquals, assertThrows } from "@std/assert";
import { CommandError, UsageError } from "../../../../cli/errors.ts";
import { findProject, readProject } from "../../../../cli/project/files.ts";
import { writeChanges } from "../../../../cli/project/write.ts";

const CONFIG = "supabase/config.toml";

/** Runs a test in a project on disk. */
function inProject(name: string, run: (root: string) => void): void {
  Deno.test(name, async () => {
    const root = await Deno.makeTempDir({ prefix: "symphony-write-" });
    try {
      Deno.mkdirSync(`${root}/supabase/functions/mine`, { recursive: true });
      Deno.writeTextFileSync(`${root}/${CONFIG}`, "\uFEFFa = 1\r\n");
      Deno.writeTextFileSync(`${root}/supabase/functions/mine/index.ts`, "mine");
      run(root);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** All paths of a folder, folders included, with their texts. */
function snapshot(root: string, path = ""): [string, string][] {
  return [...Deno.readDirSync(`${root}${path}`)].sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }): [string, string][] => {
      const child = `${path}/${name}`;
      if (!isDirectory) return [[child, Deno.readTextFileSync(`${root}${child}`)]];
      return [[child, ""], ...snapshot(root, child)];
    });
}

inProject("changes create, replace and remove files with their folders", (root) => {
  writeChanges(root, [
    { path: "supabase/functions/a/b/index.ts", text: "new" },
    { path: CONFIG, text: "b = 2\n" },
    { path: "supabase/functions/mine/index.ts", text: null },
  ], readProject(root));
  assertEquals(snapshot(root), [
    ["/supabase", ""],
    ["/supabase/config.toml", "b = 2\n"],
    ["/supabase/functions", ""],
    ["/supabase/functions/a", ""],
    ["/supabase/functions/a/b", ""],
    ["/supabase/functions/a/b/index.ts", "new"],
  ]);
});

inProject("a change that fails puts all before it back", (root) => {
  Deno.mkdirSync(`${root}/supabase/migrations/x.sql`, { recursive: true });
  const before = snapshot(root);
  const error = assertThrows(
    () =>
      writeChanges(root, [
        { path: "supabase/functions/a/b/index.ts", text: "new" },
        { path: CONFIG, text: "b = 2\n" },
        { path: "supabase/functions/mine/index.ts", text: null },
        { path: "supabase/migrations/x.sql", text: "a folder is there" },
      ], readProject(root)),
    CommandError,
    "nothing was written",
  );
  assertEquals(error.exitCode, 5);
  assertEquals(snapshot(root), before);
});

inProject(
  "a file in the place of a folder fails the change, and all before it is put back",
  (root) => {
    Deno.writeTextFileSync(`${root}/supabase/functions/tick`, "a file");
    const before = snapshot(root);
    assertThrows(
      () =>
        writeChanges(root, [
          { path: "supabase/functions/dispatch/index.ts", text: "new" },
          { path: CONFIG, text: "b = 2\n" },
          { path: "supabase/functions/tick/index.ts", text: "new" },
        ], readProject(root)),
      CommandError,
      "nothing was written: ENOTDIR",
    );
    assertEquals(snapshot(root), before);
  },
);

inProject("a file keeps its permissions, and a link leads where it led", (root) => {
  const [config, real] = [`${root}/${CONFIG}`, `${root}/real.toml`];
  Deno.chmodSync(config, 0o600);
  Deno.renameSync(config, real);
  Deno.symlinkSync("../real.toml", config);
  writeChanges(root, [{ path: CONFIG, text: "b = 2\n" }], readProject(root));
  assertEquals(Deno.readTextFileSync(real), "b = 2\n");
  assertEquals((Deno.statSync(real).mode ?? 0) & 0o777, 0o600);
  assertEquals(Deno.lstatSync(config).isSymlink, true);
});

inProject("a file that has changed since it was read is not overwritten", (root) => {
  const files = readProject(root);
  Deno.writeTextFileSync(`${root}/${CONFIG}`, "edited = true\n");
  const before = snapshot(root);
  assertThrows(
    () =>
      writeChanges(root, [
        { path: "supabase/new.sql", text: "1" },
        { path: CONFIG, text: "b = 2\n" },
      ], files),
    CommandError,
    `${CONFIG}: has changed meanwhile`,
  );
  assertEquals(snapshot(root), before);
});

inProject("a file that has come since the project was read is not overwritten", (root) => {
  const files = readProject(root);
  Deno.writeTextFileSync(`${root}/supabase/new.sql`, "mine");
  const changes = [{ path: "supabase/new.sql", text: "1" }];
  assertThrows(() => writeChanges(root, changes, files), CommandError, "has changed meanwhile");
});

inProject("a project is found from a folder in it, and --workdir is taken as it is", (root) => {
  const inner = `${root}/supabase/functions/mine`;
  assertEquals(findProject(inner), root);
  assertEquals(findProject("/", root), root);
  assertEquals(findProject(inner, "../../.."), root);
  assertThrows(() => findProject(inner, "."), UsageError, "--workdir");
});

inProject(
  "SUPABASE_WORKDIR names the project's folder, as it does for the Supabase CLI, and --workdir comes first",
  (root) => {
    assertEquals(findProject("/", undefined, root), root);
    assertEquals(findProject("/", root, "/nowhere"), root);
    assertEquals(findProject(`${root}/supabase`, undefined, ""), root);
    assertThrows(() => findProject(root, undefined, "/nowhere"), UsageError, "SUPABASE_WORKDIR: ");
  },
);

inProject("config.json alone makes a project", (root) => {
  Deno.renameSync(`${root}/${CONFIG}`, `${root}/supabase/config.json`);
  assertEquals(findProject(root), root);
});

inProject("a config that is no UTF-8 is refused by name", (root) => {
  Deno.writeFileSync(`${root}/${CONFIG}`, new Uint8Array([0x61, 0xff]));
  assertThrows(() => readProject(root), UsageError, "supabase/config.toml: is not UTF-8");
});

inProject("a file that cannot be read is told by its name", (root) => {
  Deno.mkdirSync(`${root}/supabase/migrations`);
  // A process of root may read every file, but no folder as a file, and no loop of links.
  Deno.mkdirSync(`${root}/deno.lock`);
  assertThrows(() => readProject(root), UsageError, "deno.lock: cannot be read (EISDIR)");
  Deno.symlinkSync("1_a.sql", `${root}/supabase/migrations/1_a.sql`);
  assertThrows(() => readProject(root), UsageError, "1_a.sql: cannot be read (ELOOP)");
});

inProject("a migration that is too large to read counts by its name", (root) => {
  const path = "supabase/migrations/20270101000000_data.sql";
  Deno.mkdirSync(`${root}/supabase/migrations`);
  Deno.writeTextFileSync(`${root}/${path}`, " ".repeat(20_000_001));
  assertEquals(readProject(root).get(path), "");
});

inProject("installed packages and large data are not read", (root) => {
  Deno.mkdirSync(`${root}/supabase/node_modules`);
  Deno.writeTextFileSync(`${root}/supabase/node_modules/a.sql`, "1");
  Deno.writeTextFileSync(`${root}/supabase/seed.sql`, " ".repeat(20_000_001));
  assertEquals([...readProject(root).keys()].sort(), [CONFIG, "supabase/functions/mine/index.ts"]);
});
