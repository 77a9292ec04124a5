/** The summary of a test run, made from reports of Deno. */

import { assertEquals, assertMatch } from "@std/assert";
import {
  type JobResults,
  resultsOf,
  slowestOf,
  summaryOf,
  withReruns,
} from "../../support/report.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="3" failures="1" errors="0" time="1.2">
  <testsuite name="./tests/support/stack.ts" tests="3" disabled="0" errors="0" failures="1">
    <testcase name="one &quot;quoted&quot; passes" classname="./tests/support/stack.ts" time="0.1">
    </testcase>
    <testcase name="another fails" classname="./tests/support/stack.ts" time="0.1">
      <failure message="values: 1 &lt; 2&#10;and more">at file.ts</failure>
    </testcase>
    <testcase name="a third waits" classname="./tests/support/stack.ts" time="0.1">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>`;

const jobOf = (name: string, wallS: number): JobResults => ({
  ...{ name, files: [name], wallS, cpuS: 1, code: 0 },
  ...{ passed: 1, failed: [], skipped: 0 },
});

Deno.test("a failure is told by the file that ran, and not by the fixture that registered it", () => {
  assertEquals(resultsOf(XML, "tests/integration/a.test.ts"), {
    passed: 1,
    failed: ["tests/integration/a.test.ts: another fails - values: 1 < 2"],
    skipped: 1,
  });
});

Deno.test("the summary has all failures, and the sums in its last line", () => {
  const failing = resultsOf(XML, "a.test.ts");
  assertEquals(
    summaryOf([failing, jobOf("b.test.ts", 1)]).split("\n"),
    ["FAILED a.test.ts: another fails - values: 1 < 2", "2 passed, 1 failed, 1 skipped"],
  );
  assertEquals(summaryOf([jobOf("b.test.ts", 1)]), "1 passed, 0 failed");
});

Deno.test("the slowest files come first", () => {
  const [title = "", ...lines] = slowestOf([jobOf("a", 1), jobOf("b", 3), jobOf("c", 2)], 2, 7)
    .split("\n");
  assertMatch(title, /3 s of CPU time in all, and 7 s of the shared Postgres/);
  assertEquals(lines.map((line) => line.trim().split(/ +/)), [
    ["3.0", "s", "1.0", "s", "b"],
    ["2.0", "s", "1.0", "s", "c"],
  ]);
});

Deno.test("a file that passes when it runs again alone is told as flaky, and one that fails again as failed", async () => {
  const failing = (name: string): JobResults => ({
    ...jobOf(name, 1),
    ...{ code: 1, passed: 0, failed: [`${name}: a test - late`] },
  });
  const ran: string[] = [];
  const results = await withReruns([failing("a"), jobOf("b", 1), failing("c")], 2, ({ name }) => {
    ran.push(name);
    return Promise.resolve(name === "a" ? jobOf("a", 1) : failing("c"));
  });
  assertEquals(ran, ["a", "c"]);
  assertEquals(summaryOf(results).split("\n"), [
    "FLAKY a: a test - late",
    "FAILED c: a test - late",
    "2 passed, 1 failed, 1 flaky",
  ]);
});

Deno.test("more failures than the largest number of files to run again stay as they are", async () => {
  const results = [{ ...jobOf("a", 1), code: 1, failed: ["a: a test"] }];
  const run = () => Promise.reject(new Error("it must not run again"));
  assertEquals(await withReruns(results, 0, run), results);
});
