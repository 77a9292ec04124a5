/** The command that syncs the schedules declared in code. */

import { assertEquals } from "@std/assert";
import { daily } from "../support/declared.ts";
import { type ScheduleBench, testsOfSchedules } from "../support/schedules.ts";

async function cli(bench: ScheduleBench, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../../cli/schedules-sync.ts", import.meta.url).pathname, ...args],
    env: { SUPABASE_URL: bench.stack.url, SUPABASE_SECRET_KEY: bench.stack.secretKey },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout).trim(), stderr: decoder.decode(stderr).trim() };
}

testsOfSchedules("2026-01-05T09:30:00Z", (test) => {
  test("the command syncs the project's declarations, and shows the difference first", async (bench) => {
    const scheduler = bench.scheduler({ declared: [daily("old")] });
    await scheduler.sync();
    const dry = await cli(bench, "--dry-run");
    assertEquals([dry.code, dry.stdout], [0, "disabled old\n1 of 1 schedules would change"]);
    assertEquals((await scheduler.list())[0]?.enabled, true);
    const wet = await cli(bench);
    assertEquals([wet.code, wet.stdout], [0, "disabled old\n1 of 1 schedules changed"]);
    assertEquals((await scheduler.list())[0]?.enabled, false);
    const wrong = await cli(bench, "--force");
    assertEquals([wrong.code, wrong.stderr.split("\n").at(-2)], [1, "--force: no such option"]);
  });
});
