// The cron evaluator against croner, which follows the same rule but for four differences.
import { assertEquals } from "@std/assert";
import { Cron } from "croner";
import fc from "fast-check";
import {
  getNextCronTime,
  validateCronExpression,
} from "../../../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";
import { expression, zone } from "./fixtures/cron-arbitraries.ts";
import { changesInYear, offsetAt } from "./fixtures/vixie-cron.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** croner combines `*`/n or `*`,n in a day field with the other one by OR; Vixie cron by AND. */
function differsInDays(text: string): boolean {
  const [, , dayOfMonth = "", , dayOfWeek = ""] = text.split(" ");
  const starWithMore = (field: string) => field.startsWith("*") && field !== "*";
  return dayOfMonth !== "*" && dayOfWeek !== "*" &&
    (starWithMore(dayOfMonth) || starWithMore(dayOfWeek));
}

/** For croner a step, or a star anywhere, lets a job follow real time; for Vixie a leading star. */
function differsInClass(text: string): boolean {
  const [minute = "", hour = ""] = text.split(" ");
  const vixie = minute.startsWith("*") || hour.startsWith("*");
  const croner = /[*/]/.test(minute) || /[*/]/.test(hour);
  return vixie !== croner;
}

/** croner makes up for a gap of any length, but not for a time on the date before its end. */
function differsAtChange(zone: string, change: number): boolean {
  const wallBefore = change + offsetAt(zone, change - 1_000);
  const wallAfter = change + offsetAt(zone, change);
  const crossesMidnight = Math.floor(wallBefore / DAY) !== Math.floor(wallAfter / DAY);
  return Math.abs(wallAfter - wallBefore) > 3 * HOUR || (wallAfter > wallBefore && crossesMidnight);
}

const comparable = expression.filter((text) =>
  validateCronExpression(text) && !differsInDays(text) && !differsInClass(text)
);

function assertSameRuns(text: string, zone: string, from: number, count: number): void {
  const cron = new Cron(text, {
    timezone: zone,
    mode: "5-part",
    fixedTimeRule: "no-wildcard",
    paused: true,
  });
  let after = new Date(from);
  for (let run = 0; run < count; run++) {
    const expected = cron.nextRun(after)?.toISOString();
    const actual = getNextCronTime(text, after, zone);
    assertEquals(actual.toISOString(), expected, `${text} in ${zone} after ${after.toISOString()}`);
    after = actual;
  }
}

Deno.test("successive runs are those of croner in UTC", () => {
  const from = fc.integer({ min: 0, max: Date.UTC(2150, 0, 1) });
  fc.assert(
    fc.property(comparable, from, (text, from) => assertSameRuns(text, "UTC", from, 4)),
    { seed: 6, numRuns: 2_000 },
  );
});

Deno.test("runs around the changes of any zone are those of croner", () => {
  const changes = fc.tuple(zone, fc.integer({ min: 1973, max: 2099 })).map(([name, year]) =>
    changesInYear(name, year).filter((change) => !differsAtChange(name, change))
      .map((change) => ({ name, change }))
  );
  const hoursBefore = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(changes, comparable, hoursBefore, (changes, text, hours) => {
      for (const { name, change } of changes) assertSameRuns(text, name, change - hours * HOUR, 4);
    }),
    { seed: 7, numRuns: 2_000 },
  );
});
