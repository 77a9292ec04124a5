/** Checks of transports: their problems are told with advice, within bounds, and not asked for too often. */

import { assertEquals } from "@std/assert";
import { Router } from "../../../supabase/functions/_shared/symphony/bus/router.ts";
import { checkRoutes } from "../../../supabase/functions/_shared/symphony/bus/routing.ts";
import { TransportChecks } from "../../../supabase/functions/_shared/symphony/management/transport-checks.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import type { EngineProblem } from "../../../supabase/functions/_shared/symphony/transport/engine.ts";
import { define } from "../../support/definitions.ts";
import { recorded } from "../../support/recorded_engine.ts";

function setup(check: (types: readonly string[]) => Promise<readonly EngineProblem[]>) {
  let now = 0;
  let asked = 0;
  const registry = createRegistry([
    define(() => {}, { type: "A", transport: "eu" }),
    define(() => {}, { type: "B" }),
    define(() => {}, { type: "C", route: () => "eu" }),
  ]);
  const eu = { ...recorded(), check: (types: readonly string[]) => (asked++, check(types)) };
  const routes = checkRoutes({ transports: { eu } }, registry);
  const router = routes
    ? new Router({ registry, home: new InMemoryTransport(), routes })
    : undefined;
  const checks = new TransportChecks(router, () => now);
  return { checks, pass: (ms: number) => now += ms, asked: () => asked };
}

Deno.test("a transport without problems is healthy, and is asked about the types that go to it", async () => {
  const given: string[] = [];
  const { checks } = setup((types) => Promise.resolve((given.push(...types), [])));
  assertEquals(await checks.judge(), [
    { name: "transport eu", ok: true, found: 0, limit: 0, advice: "" },
  ]);
  assertEquals(given, ["A"]);
});

Deno.test("the problems of a transport are told together, each advice once", async () => {
  const problemOf = (name: string, advice: string) => ({ name, problem: "is wrong", advice });
  const problems = [
    problemOf("a", "Mend it."),
    problemOf("b", "Mend it."),
    problemOf("c", "Look."),
  ];
  const { checks } = setup(() => Promise.resolve(problems));
  assertEquals(await checks.judge(), [{
    ...{ name: "transport eu", ok: false, limit: 0 },
    found: "a: is wrong; b: is wrong; c: is wrong",
    advice: "Mend it. Look.",
  }]);
});

Deno.test("a check that throws is a problem of its transport, and fails nothing else", async () => {
  const { checks } = setup(() => Promise.reject(new Error("boom")));
  const [judged] = await checks.judge();
  assertEquals([judged?.ok, judged?.found], [false, "check: boom"]);
});

Deno.test("a transport is asked again after half a minute", async () => {
  const { checks, pass, asked } = setup(() => Promise.resolve([]));
  await Promise.all([checks.judge(), checks.judge()]);
  pass(29_999);
  await checks.judge();
  assertEquals(asked(), 1);
  pass(1);
  await checks.judge();
  assertEquals(asked(), 2);
});

Deno.test("a transport that was changed is asked again at once", async () => {
  const { checks, asked } = setup(() => Promise.resolve([]));
  await checks.judge();
  checks.forget();
  await checks.judge();
  assertEquals(asked(), 2);
});

Deno.test("a project that routes nothing has no check of transports", async () => {
  assertEquals(await new TransportChecks(undefined).judge(), []);
});
