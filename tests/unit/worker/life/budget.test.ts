/** When a run has used up what it may. */

import { assert, assertEquals } from "@std/assert";
import { Budget } from "../../../../supabase/functions/_shared/symphony/worker/life/budget.ts";
import {
  cpuShare,
  processCpuMs,
} from "../../../../supabase/functions/_shared/symphony/worker/life/cpu.ts";

Deno.test("a budget of time is spent at its end, and running handlers have until the hard one", () => {
  const budget = new Budget({ budgetMs: 50, maxMs: 140 }, 1_000);
  assertEquals([budget.spent(1_049), budget.spent(1_050)], [null, "time"]);
  assertEquals([budget.endsAt, budget.stopsAt], [1_050, 1_140]);
});

Deno.test("without a hard end, running handlers are never stopped for the time", () => {
  assertEquals(new Budget({ budgetMs: 50 }, 0).stopsAt, Infinity);
});

Deno.test("a budget of messages is spent with the last one", () => {
  const budget = new Budget({ budgetMs: 50, maxMessages: 2 }, 0);
  budget.messages--;
  assertEquals(budget.spent(0), null);
  budget.messages--;
  assertEquals(budget.spent(0), "messages");
});

Deno.test("a budget of CPU counts from the start of the run", () => {
  let cpu = 70_000;
  const budget = new Budget({ budgetMs: 50, cpuMs: 1_000_000 }, 0, () => cpu);
  cpu += 400_000;
  assertEquals(budget.spent(0), null);
  cpu += 600_000;
  assertEquals(budget.spent(0), "cpu");
});

Deno.test("without a limit of CPU, and where the runtime tells none, it is never spent", () => {
  let cpu = 0;
  const unlimited = new Budget({ budgetMs: 50, cpuMs: 0 }, 0, () => cpu);
  cpu = 1e9;
  assertEquals(unlimited.spent(0), null);
  assertEquals(new Budget({ budgetMs: 50, cpuMs: 100 }, 0, () => 0).spent(0), null);
});

Deno.test("a run has what its process left of the allowance, and half of it in any case", () => {
  assertEquals([0, 400, 900, 1e6].map((used) => cpuShare(1_500, used)), [1_500, 1_100, 750, 750]);
  assertEquals(cpuShare(0, 1e6), Infinity);
});

Deno.test("work uses CPU time of the process", () => {
  const before = processCpuMs();
  while (processCpuMs() < before + 20) crypto.randomUUID();
  assert(before > 0);
});

Deno.test("a runtime that tells no CPU time, or throws, counts as one that used none", () => {
  const known = Object.getOwnPropertyDescriptor(globalThis, "process");
  try {
    for (
      const process of [undefined, {}, {
        cpuUsage: () => {
          throw new Error("no");
        },
      }]
    ) {
      Object.defineProperty(globalThis, "process", { value: process, configurable: true });
      assertEquals(processCpuMs(), 0);
    }
  } finally {
    if (known) Object.defineProperty(globalThis, "process", known);
  }
});
