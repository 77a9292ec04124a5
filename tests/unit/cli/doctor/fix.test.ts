/** `doctor --fix` after the setup: what it says of the tick that tries the whole way. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fix } from "../../../../cli/doctor/fix.ts";
import type { Call } from "../../../../cli/messenger/client.ts";

const SETUP = {
  queues: [],
  jobs: {},
  secrets: [],
  alerts: [],
  url: "https://x.example",
  key: "default",
};

/** A project whose function tick responds to the database with these statuses, in order, after the setup. */
function project(statuses: readonly (number | null)[], tick: string | null = null): Call {
  let looks = -1;
  return ((_method: string, path: string) => {
    if (path === "/setup") looks = 0;
    else if (looks >= 0) looks = Math.min(looks + 1, statuses.length);
    const lastAnswer = {
      at: `2026-01-01T00:00:0${Math.max(looks, 0)}Z`,
      status: statuses[looks - 1],
    };
    return Promise.resolve({ body: path === "/setup" ? { ...SETUP, tick } : { lastAnswer } });
  }) as unknown as Call;
}

const firstTick = async (call: Call) =>
  (await fix(call, () => Promise.resolve())).find(({ name }) => name === "first tick");

Deno.test("a tick that is accepted is the proof that the key in Vault is", async () => {
  const check = await firstTick(project([202]));
  assertEquals([check?.ok, check?.found, check?.advice], [true, "HTTP 202", null]);
});

Deno.test("a tick that is refused is no success: the key, the URL or the function is wrong", async () => {
  for (const status of [401, 404, 500]) {
    const check = await firstTick(project([status]));
    assertEquals([check?.ok, check?.found], [false, `HTTP ${status}`]);
    assertStringIncludes(check?.advice ?? "", "asked ticks");
  }
});

Deno.test("a refusal of a request that left before the setup is no verdict", async () => {
  const check = await firstTick(project([401, 202]));
  assertEquals([check?.ok, check?.found], [true, "HTTP 202"]);
});

Deno.test("an answer that pg_net waited for in vain is no refusal: a cold start may take longer", async () => {
  assertEquals((await firstTick(project([null])))?.ok, true);
});

Deno.test("a tick that could not be asked for says why", async () => {
  const check = await firstTick(project([202], "pg_net is not installed"));
  assertEquals([check?.ok, check?.advice], [false, "pg_net is not installed"]);
});
