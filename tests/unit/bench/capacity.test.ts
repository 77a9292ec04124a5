/** The capacity model beside the benchmarks' results: its costs, and what it tells of loads that were measured. */

import { assert } from "@std/assert";
import { median } from "../../../bench/report/stats.ts";
import { COSTS } from "../../../cli/capacity/costs.ts";
import { capacityOf, type Load } from "../../../cli/capacity/model.ts";

/** Runs on machines of one kind differ as much. */
const WITHIN = 1.6;

/** The median of a figure in bench/results. */
function measured(workload: string, name: string): number {
  const file = new URL(`../../../bench/results/${workload}.json`, import.meta.url);
  const { measurements } = JSON.parse(Deno.readTextFileSync(file));
  const found = measurements.find((one: { name: string }) => one.name === name);
  assert(found, `${workload} has no ${name}`);
  return median(found.values);
}

function assertNear(value: number, expected: number, what: string): void {
  const ratio = value / expected;
  assert(ratio < WITHIN && ratio > 1 / WITHIN, `${what}: ${value}, and measured ${expected}`);
}

const W11 = (name: string) => measured("W11", `ours, ${name}`);
const one = W11("written by 1,000: Postgres");

for (
  const [what, cost, expected] of [
    [
      "a message written in a call of 1,000",
      COSTS.writeMs,
      measured("W1", "ours: Postgres") / 1000,
    ],
    ["a call that writes", COSTS.writeCallMs, (W11("written one by one: Postgres") - one) / 1000],
    ["a message claimed and settled", COSTS.handleMs, measured("W2", "ours: Postgres") / 1000],
    [
      "a kB of payload",
      COSTS.payloadMsPerKb,
      (W11("written by 1,000, payloads of 10 kB: Postgres") - one) / 10_000,
    ],
    [
      "the worker's CPU for a message",
      COSTS.workerMs,
      measured("W10", "CPU, fresh process") / 1000,
    ],
    ["the WAL of a message in a batch", COSTS.walBytes, W11("written by 1,000")],
    ["the WAL of a message alone", COSTS.walBytesAlone, W11("written one by one")],
    [
      "the WAL of a byte of payload",
      COSTS.walPerByte,
      (W11("written by 1,000, payloads of 10 kB") - W11("written by 1,000")) / 10_000,
    ],
    ["the start of a message", COSTS.startMs, measured("W5", "dispatched in SQL, 50th percentile")],
    [
      "the invocations of an idle hour",
      COSTS.idleInvocations,
      measured("W16", "an hour with one message a minute"),
    ],
    [
      "the invocations of a trickle",
      COSTS.trickleInvocations,
      measured("W16", "an hour with one message a second"),
    ],
  ] as const
) {
  Deno.test(`the model's cost of ${what} is the measured one`, () => {
    assertNear(cost, expected, what);
  });
}

/** W11 writes a steady rate 40 times a second, with small payloads. */
const steady = (rate: number, handlerMs: number): Load => ({
  rate,
  peak: rate,
  payloadBytes: 30,
  batch: Math.max(1, rate / 40),
  via: "sql",
  handlerMs,
  handlerCpuMs: 0,
  retries: 0,
  steps: 0,
});

for (
  const [name, load, concurrency] of [
    ["10 a second", steady(10, 0), 10],
    ["100 a second", steady(100, 0), 10],
    ["1000 a second", steady(1_000, 0), 10],
    ["700 a second, handlers of 100 ms", steady(700, 100), 100],
  ] as const
) {
  Deno.test(`the model tells the database's load that was measured at ${name}`, () => {
    const settings = { concurrency, tickBudgetMs: 50_000, tickCpuMs: 0, tickMaxMessages: 10_000 };
    assertNear(capacityOf(load, settings).peakCores, W11(`${name}: Postgres`), name);
  });
}

Deno.test("the model tells the invocations that a backlog of 100,000 took", () => {
  const rate = 100_000 / 3_600;
  const settings = {
    ...{ concurrency: 10, tickBudgetMs: 50_000, tickCpuMs: 1_500, tickMaxMessages: 10_000 },
  };
  const { tickInvocations } = capacityOf(steady(rate, 0), settings);
  // An hour of this rate has the backlog's messages, and beside them the trickle's ticks.
  assert(tickInvocations / 720 >= W11("invocations") / WITHIN);
});
