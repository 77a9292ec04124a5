/** The capacity model: what grows with a load, and at its bounds. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Capacity, capacityOf, type Load } from "../../../../cli/capacity/model.ts";

const settings = {
  concurrency: 10,
  tickBudgetMs: 50_000,
  tickCpuMs: 1_500,
  tickMaxMessages: 10_000,
};

const load: Load = {
  rate: 10,
  peak: 30,
  payloadBytes: 1_000,
  batch: 1,
  via: "sql",
  handlerMs: 100,
  handlerCpuMs: 2,
  retries: 0,
  steps: 0,
};

const needs = (capacity: Capacity): number[] => [
  capacity.averageCores,
  capacity.peakCores,
  capacity.cores,
  capacity.walBytesPerSecond,
  capacity.busyHandlers,
  capacity.ticks,
  capacity.tickInvocations,
  capacity.dispatchInvocations,
  capacity.outage.messages,
];

Deno.test("a project without messages needs a core and the ticks of pg_cron", () => {
  const capacity = capacityOf({ ...load, rate: 0, peak: 0 }, settings);
  assertEquals(capacity.cores, 1);
  assertEquals(capacity.tickInvocations, 60 * 720);
  assertEquals([capacity.averageCores, capacity.busyHandlers, capacity.outage.messages], [0, 0, 0]);
});

Deno.test("handlers at once are messages a second times seconds a handler", () => {
  const capacity = capacityOf({ ...load, peak: 100, handlerMs: 500, retries: 0.1 }, settings);
  assertEquals(Math.round(capacity.busyHandlers * 1e9) / 1e9, 55);
  assertEquals(capacity.ticks, Math.ceil(55 / 0.7 / 10));
});

Deno.test("handlers that use CPU need a tick for each core that they fill", () => {
  const capacity = capacityOf({ ...load, peak: 70, handlerMs: 10, handlerCpuMs: 10 }, settings);
  assertEquals(capacity.ticks, 2);
});

Deno.test("a tick ends at its CPU, its time or its number of messages, whatever comes first", () => {
  const monthly = (more: Partial<Load>) =>
    capacityOf({ ...load, rate: 100, ...more }, settings).tickInvocations;
  const ofMessages = 100 * 3600 / 10_000 * 720;
  assertEquals(monthly({ handlerMs: 1, handlerCpuMs: 0 }), Math.max(ofMessages, 180 * 720));
  assert(monthly({ handlerCpuMs: 100 }) > 100 * 3600 / 15 * 720 * 0.99);
  assertEquals(monthly({ handlerMs: 50_000, handlerCpuMs: 0 }), 100 * 3600 / 10 * 720);
});

Deno.test("only dispatches over HTTPS are invocations, one for each batch", () => {
  const dispatches = (more: Partial<Load>) =>
    capacityOf({ ...load, ...more }, settings).dispatchInvocations;
  assertEquals(dispatches({ via: "sql" }), 0);
  assertEquals(dispatches({ via: "https", batch: 10 }), 1 * 3600 * 720);
});

// A longer handler makes fewer round trips, and so needs less of the database.
Deno.test("more messages, payload, CPU, retries or steps never need less", () => {
  const sizes = fc.record({
    rate: fc.integer({ min: 0, max: 100_000 }),
    payloadBytes: fc.integer({ min: 0, max: 1_000_000 }),
    handlerMs: fc.integer({ min: 1, max: 100_000 }),
    handlerCpuMs: fc.integer({ min: 0, max: 1_000 }),
    retries: fc.double({ min: 0, max: 10, noNaN: true }),
    steps: fc.integer({ min: 0, max: 100 }),
  });
  const field = fc.constantFrom(
    ...["rate", "payloadBytes", "handlerCpuMs", "retries", "steps"] as const,
  );
  fc.assert(fc.property(sizes, field, (given, name) => {
    const of = (sizes: typeof given) =>
      needs(capacityOf({ ...load, ...sizes, peak: sizes.rate * 3 }, settings));
    const [less, more] = [of(given), of({ ...given, [name]: given[name] * 2 + 1 })];
    return less.every((value, index) => value <= (more[index] ?? -1) * (1 + 1e-9));
  }));
});
