/** The command's process where what it writes is not taken. */

import { assertEquals, assertMatch } from "@std/assert";

/** Runs the command in a shell, with redirections behind its words. */
async function shell(words: string) {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `"$0" run -A --no-check cli/main.ts ${words}`, Deno.execPath()],
    cwd: new URL("../../..", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("a result that stdout does not take is an error in one line, with a code of its own", async () => {
  const text = await shell("--help > /dev/full");
  assertEquals([text.code, text.out], [6, ""]);
  assertMatch(text.err, /^error: stdout: cannot be written: .*[Nn]o space left on device.*\n$/);
  const json = await shell("failed --help --json > /dev/full");
  assertEquals([json.code, JSON.parse(json.err).error.code], [6, "output"]);
});

Deno.test("a command ends as it would where stderr takes nothing", async () => {
  for (const stderr of ["2> /dev/full", "2>&-"]) {
    assertEquals((await shell(`faild ${stderr}`)).code, 2, stderr);
    assertEquals((await shell(`--version ${stderr}`)).code, 0, stderr);
  }
  const { out } = await shell("faild 2>&1 >/dev/null | true; echo done");
  assertEquals(out, "done\n");
});

Deno.test("a reader that has read enough ends the command without an error", async () => {
  const { out, err } = await shell("--help | head -1");
  assertEquals([out.split("\n").length, err], [2, ""]);
});
