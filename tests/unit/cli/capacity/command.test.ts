/** `plan` as a command: its values, its text, and the errors of wrong options. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { say } from "../../../support/cli.ts";

Deno.test("plan tells cores, WAL, ticks, invocations, connections and the start", async () => {
  const { code, out } = await say(["plan", "--rate", "100", "--handler", "200ms"]);
  assertEquals(code, 0);
  for (const name of ["database", "WAL", "ticks at once", "invocations", "connections", "start"]) {
    assertMatch(out, new RegExp(`^${name} {3,}\\S`, "m"));
  }
});

Deno.test("plan --json has the numbers and the advice", async () => {
  const { code, out } = await say(["plan", "--rate", "1000", "--json"]);
  assertEquals(code, 0);
  const plan = JSON.parse(out);
  assert(plan.peakCores > plan.averageCores);
  assertStringIncludes(plan.advice.join("\n"), "max_workers");
});

for (
  const [name, args, words] of [
    [
      "a tick is advised to have others beside it",
      ["--peak", "300"],
      "Let 5 ticks run at once: max_workers",
    ],
    [
      "work for more ticks than a queue has is to be divided",
      ["--peak", "3000", "--handler", "2s"],
      "A queue has 100 ticks at most",
    ],
    [
      "a handler longer than a function's life is to be divided",
      ["--handler", "10m"],
      "divide it into durable steps",
    ],
    ["a handler of much CPU belongs on a resident worker", [
      "--handler",
      "1s",
      "--handler-cpu",
      "500",
    ], 'runsOn: "worker"'],
    [
      "single dispatches at a high rate are to be batched",
      ["--peak", "500"],
      "Dispatch in batches",
    ],
    [
      "many dispatches over HTTPS are invocations to be saved",
      ["--peak", "30", "--via", "https"],
      "Each dispatch over HTTPS is an invocation",
    ],
    [
      "large payloads belong into Storage",
      ["--payload", "500000"],
      "Put what is large into Storage",
    ],
    [
      "a load beyond one database is to be routed",
      ["--rate", "100000", "--batch", "100"],
      "route message types or tenants",
    ],
  ] as const
) {
  Deno.test(name, async () => {
    const { out } = await say(["plan", "--rate", "10", "--handler", "100ms", ...args]);
    assertStringIncludes(out, words);
  });
}

Deno.test("a small project is advised nothing", async () => {
  const { out } = await say(["plan", "--rate", "1", "--handler", "100ms"]);
  assert(!out.includes("\n- "), out);
});

for (
  const [args, words] of [
    [[], "--rate: has to be given"],
    [["--rate", "-1"], "--rate: has to be from 0"],
    [["--rate", "10", "--peak", "5"], "--peak: has to be from 10"],
    [["--rate", "10", "--batch", "0"], "--batch: has to be from 1"],
    [["--rate", "10", "--handler", "soon"], "--handler: has to be a whole number of milliseconds"],
    [["--rate", "10", "--payload", "20000000"], "--payload: has to be from 0 to 10485760"],
    [["--rate", "10", "--concurrency", "0"], "--concurrency: has to be from 1"],
    [["--rate", "10", "--retries", "-1"], "--retries: has to be from 0"],
    [["--rate", "10", "--steps", "2000"], "--steps: has to be from 0"],
    [["--rate", "10", "--handler-cpu", "-2"], "--handler-cpu: has to be from 0"],
    [["--rate", "10", "--price", "-2"], "--price: has to be from 0"],
    [["--rate", "10", "--included", "-2"], "--included: has to be from 0"],
    [["--rate", "many"], "It has to be a number"],
    [["--rate", "1", "--via", "mail"], "Allowed choices are sql, https"],
  ] as const
) {
  Deno.test(`plan ${args.join(" ")} ends with 2 and says: ${words}`, async () => {
    const { code, err } = await say(["plan", ...args]);
    assertEquals(code, 2);
    assertStringIncludes(err, words);
  });
}
