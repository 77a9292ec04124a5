/** The plans that docs/scaling.md shows are those of the model. */

import { assertEquals } from "@std/assert";
import { capacityOf, type Load } from "../../../../cli/capacity/model.ts";

const RATES = [1, 10, 100, 1_000, 10_000, 100_000];

const SETTINGS = {
  concurrency: 100,
  tickBudgetMs: 50_000,
  tickCpuMs: 1_500,
  tickMaxMessages: 10_000,
};

const loadOf = (rate: number): Load => ({
  rate,
  peak: rate * 3,
  payloadBytes: 1_000,
  batch: rate < 1_000 ? 1 : 100,
  via: "sql",
  handlerMs: 100,
  handlerCpuMs: 2,
  retries: 0.02,
  steps: 0,
});

const shown = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));

/** The rows of the docs' table, without their padding. */
function rows(): string[][] {
  return RATES.map((rate) => {
    const plan = capacityOf(loadOf(rate), SETTINGS);
    return [
      rate.toLocaleString("en"),
      shown(plan.peakCores),
      shown(plan.cores),
      shown(plan.walGbPerDay),
      shown(plan.busyHandlers),
      shown(plan.ticks),
      shown(plan.tickInvocations / 1e6),
      shown(plan.connections),
    ];
  });
}

Deno.test("the plans of docs/scaling.md are those of the model", () => {
  const page = Deno.readTextFileSync(new URL("../../../../docs/scaling.md", import.meta.url));
  const plans = page.slice(page.indexOf("<!-- Plans:"), page.indexOf("<!-- End of the plans. -->"));
  const found = plans.split("\n").filter((line) => line.startsWith("|")).slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  assertEquals(found, rows());
});
