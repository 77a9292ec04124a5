/** init, upgrade and uninstall as commands: options, texts and exit codes. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { say } from "../../support/cli.ts";

/** Runs a test with a project's folder. */
function inFolder(name: string, run: (root: string) => Promise<void>): void {
  Deno.test(name, async () => {
    const root = await Deno.makeTempDir({ prefix: "symphony-commands-" });
    try {
      Deno.mkdirSync(`${root}/supabase`);
      Deno.writeTextFileSync(`${root}/supabase/config.toml`, 'project_id = "p"\n');
      await run(root);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });
}

/** The files below supabase/, by name. */
function names(root: string): string[] {
  return [...Deno.readDirSync(`${root}/supabase`)].map(({ name }) => name).sort();
}

inFolder("a dry run shows the files and lines, and writes nothing", async (root) => {
  const { code, out } = await say(["init", "--workdir", root, "--dry-run"]);
  assertEquals(code, 0);
  assertStringIncludes(out, "create supabase/functions/tick/index.ts");
  assertStringIncludes(out, "change supabase/config.toml\n    + [functions.dispatch]");
  assertEquals(names(root), ["config.toml"]);
});

inFolder(
  "init says what comes next, and a second one that there is nothing to do",
  async (root) => {
    const first = await say(["init", "--workdir", root, "--prefix", "bus-"]);
    assertEquals(first.code, 0);
    assertStringIncludes(
      first.out,
      "functions deploy bus-dispatch bus-tick bus-messenger --use-api",
    );
    assertStringIncludes(first.out, "npx symphony-messenger doctor --prefix bus-\n");
    assertEquals(await say(["init", "--workdir", root]), {
      code: 0,
      out: "Nothing to do.",
      err: "",
    });
    assertEquals(await say(["upgrade", "--workdir", root]), {
      code: 0,
      out: "Nothing to do.",
      err: "",
    });
  },
);

inFolder("a refusal ends with 5, tells file and advice, and writes nothing", async (root) => {
  Deno.mkdirSync(`${root}/supabase/functions/tick`, { recursive: true });
  Deno.writeTextFileSync(`${root}/supabase/functions/tick/index.ts`, "mine");
  const { code, err } = await say(["init", "--workdir", root]);
  assertEquals(code, 5);
  assertStringIncludes(
    err,
    "refused: supabase/functions/tick/index.ts: the function tick is yours",
  );
  assertStringIncludes(err, "error: nothing was written: 1 problem, see above");
  assertEquals(names(root), ["config.toml", "functions"]);
});

inFolder("a folder without a project ends with 2", async (root) => {
  for (const command of ["init", "upgrade", "uninstall"]) {
    const { code, err } = await say([command, "--workdir", `${root}/supabase`]);
    assertEquals(code, 2);
    assertStringIncludes(err, "has no supabase/config.toml");
  }
});

inFolder(
  "upgrade in a project without us is refused, and uninstall has nothing to do",
  async (root) => {
    const upgrade = await say(["upgrade", "--workdir", root]);
    assertEquals(upgrade.code, 5);
    assertStringIncludes(upgrade.err, "Run `npx symphony-messenger init` first.");
    const uninstall = await say(["uninstall", "--workdir", root]);
    assertEquals([uninstall.code, uninstall.out], [0, "Nothing to do."]);
  },
);

inFolder("uninstall removes the files, and tells the commands that follow", async (root) => {
  await say(["init", "--workdir", root]);
  const { code, out } = await say(["uninstall", "--workdir", root]);
  assertEquals(code, 0);
  assertStringIncludes(out, "npx supabase@3 functions delete");
  assertEquals(names(root), ["config.toml", "migrations"]);
  assertEquals(Deno.readTextFileSync(`${root}/supabase/config.toml`), 'project_id = "p"\n');
});

Deno.test("help shows the command that is named, however deep, and refuses a word that is none", async () => {
  for (
    const line of [
      "help failed redrive",
      "failed help redrive",
      "failed redrive --help",
      "help failed redrive 17",
      "help help failed redrive",
    ]
  ) {
    const { code, out } = await say(line);
    assertEquals([code, out.split("\n")[0]], [
      0,
      "Usage: symphony-messenger failed redrive [options] [ids...]",
    ], line);
  }
  for (const line of ["help", "help help", "--help"]) {
    const { code, out } = await say(line);
    assertEquals([code, out.split("\n")[0]], [0, "Usage: symphony-messenger [options] [command]"]);
  }
  for (
    const [line, error] of [
      ["help nope", "unknown command 'nope'\n--help"],
      ["nope --help", "unknown command 'nope'\n--help"],
      ["help faild", "unknown command 'faild'\n(Did you mean failed?)"],
      ["help failed redrve", "unknown command 'redrve'\n(Did you mean redrive?)"],
      ["failed help redrve", "unknown command 'redrve'\n(Did you mean redrive?)"],
      ["failed redrve -h", "unknown command 'redrve'\n(Did you mean redrive?)"],
    ] as const
  ) {
    const { code, out, err } = await say(line);
    assertEquals([code, out, err.slice(0, 7 + error.length)], [2, "", `error: ${error}`], line);
  }
});
