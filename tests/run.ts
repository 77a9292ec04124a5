/**
 * Runs the tests against one Postgres server, and ends with the line `N passed, N failed`.
 *
 *   deno task test [folder or file ...]
 *
 * SYMPHONY_TEST_POSTGRES names the folder of another Postgres's programs, such as Debian's; the one
 * from npm is used where it is not set.
 */

import { startTestServer } from "./support/server.ts";

const root = new URL("..", import.meta.url).pathname;
const binDir = Deno.env.get("SYMPHONY_TEST_POSTGRES");
const wanted = Deno.args.length > 0 ? Deno.args : ["tests"];

const server = await startTestServer(binDir);
const report = await Deno.makeTempFile({ suffix: ".xml" });
try {
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-prompt", `--junit-path=${report}`, ...wanted],
    cwd: root,
    env: { SYMPHONY_TEST_SERVER_URL: server.url },
  }).spawn();
  const { code } = await tests.status;
  const { passed, failed, skipped } = count(await Deno.readTextFile(report));
  const more = skipped > 0 ? `, ${skipped} skipped` : "";
  console.log(`${passed} passed, ${failed} failed${more}`);
  Deno.exitCode = code;
} finally {
  await server.stop();
  await Deno.remove(report);
}

/** Counts the test cases of a JUnit report. */
function count(xml: string): { passed: number; failed: number; skipped: number } {
  const cases = xml.match(/<testcase[^>]*?(?:\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  const failed = cases.filter((text) => /<(failure|error)\b/.test(text)).length;
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - failed - skipped, failed, skipped };
}
