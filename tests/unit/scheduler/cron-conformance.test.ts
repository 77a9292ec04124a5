// The conformance set of the cron rule: given expressions, zones and starts, and the runs they have.
import { assertEquals } from "@std/assert";
import {
  getNextCronTime,
  validateCronExpression,
} from "../../../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";
import conformance from "./fixtures/cron_cases.json" with { type: "json" };

const groups = new Set(conformance.cases.map(({ group }) => group));

for (const group of groups) {
  Deno.test(`successive runs are those of the conformance cases for ${group}`, () => {
    const cases = conformance.cases.filter((one) => one.group === group);
    for (const { id, expr, tz, from, expected_next } of cases) {
      const found: Date[] = [];
      for (const _ of expected_next) {
        found.push(getNextCronTime(expr, found.at(-1) ?? new Date(from), tz));
      }
      const expected = expected_next.map((run) => new Date(run));
      assertEquals(found, expected, `${id}: ${expr} in ${tz} after ${from}`);
    }
  });
}

Deno.test("every expression of the conformance cases is valid", () => {
  const refused = conformance.cases.filter(({ expr }) => !validateCronExpression(expr));
  assertEquals(refused, []);
});

Deno.test("every invalid expression of the conformance set is refused", () => {
  const accepted = conformance.invalid.filter(({ expr }) => validateCronExpression(expr));
  assertEquals(accepted, []);
});
