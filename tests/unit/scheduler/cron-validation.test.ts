// Expressions that the cron evaluator refuses, and the texts of its errors.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  getNextCronTime,
  validateCronExpression,
} from "../../../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";
import { assertTimeZone } from "../../../supabase/functions/_shared/symphony/scheduler/time-zone.ts";

const NOW = new Date("2026-01-01T00:00:00Z");

const REFUSED: readonly [expression: string, problem: string][] = [
  ["", "must have five fields"],
  ["* * * *", "must have five fields"],
  ["0 0 9 * * *", "must have five fields"],
  ["@reboot", "must have five fields"],
  ["@daily *", "must have five fields"],
  ["0 9 * *\n*", "must contain only ASCII characters, on one line"],
  ["@wee\u212Aly", "must contain only ASCII characters, on one line"],
  ["\u0663 * * * *", "must contain only ASCII characters, on one line"],
  [`${"1,".repeat(60)}1 * * * *`, "must be at most 120 characters long"],
  ["x * * * *", 'the minute field has "x", which is not a value, a range or a step'],
  ["0 9 * * 1#2", 'the day-of-week field has "1#2", which is not a value, a range or a step'],
  ["0 0 L * *", 'the day-of-month field has "L", which is not a value, a range or a step'],
  ["1,,2 * * * *", 'the minute field has "", which is not a value, a range or a step'],
  ["007 * * * *", 'the minute field has "007", which is not a value, a range or a step'],
  ["0 0 * mon *", 'the month field has "mon", which is not a name of this field'],
  ["jan * * * *", 'the minute field has "jan", which is not a name of this field'],
  ["60 * * * *", 'the minute field has "60", but values go from 0 to 59'],
  ["0 24 * * *", 'the hour field has "24", but values go from 0 to 23'],
  ["0 0 0-5 * *", 'the day-of-month field has "0-5", but values go from 1 to 31'],
  ["0 0 * 13 *", 'the month field has "13", but values go from 1 to 12'],
  ["0 0 * * 8", 'the day-of-week field has "8", but values go from 0 to 7'],
  ["0 22-2 * * *", 'the hour field has "22-2", but a range must not run backwards'],
  ["0 0 * * sat-mon", 'the day-of-week field has "sat-mon", but a range must not run backwards'],
  ["5/15 * * * *", 'the minute field has "5/15", but a step needs a range or *'],
  ["*/0 * * * *", 'the minute field has "*/0", but steps go from 1 to 59'],
  ["*/60 * * * *", 'the minute field has "*/60", but steps go from 1 to 59'],
  ["0 0 * * */8", 'the day-of-week field has "*/8", but steps go from 1 to 7'],
  ["0 0 30 2 *", '"0 0 30 2 *" never fires'],
  ["0 0 31 4,6,9,11 *", '"0 0 31 4,6,9,11 *" never fires'],
  ["0 0 30 2 */2", '"0 0 30 2 */2" never fires'],
];

Deno.test("an expression that is refused is not valid, and the error names its problem", () => {
  for (const [expression, problem] of REFUSED) {
    assertEquals(validateCronExpression(expression), false, expression);
    assertThrows(() => getNextCronTime(expression, NOW), RangeError, `cron: ${problem}`);
  }
});

Deno.test("what is not a string is not a valid expression", () => {
  for (const value of [undefined, null, 5, {}, ["0 9 * * *"], Symbol("cron")]) {
    const expression = value as unknown as string;
    assertEquals(validateCronExpression(expression), false);
    assertThrows(() => getNextCronTime(expression, NOW), RangeError, "cron: must be a string");
  }
});

Deno.test("fields, lists, ranges, steps, names and nicknames of crontab(5) are valid", () => {
  const expressions = [
    "* * * * *",
    "00 07 01 01 00",
    "*/59 */23 */31 */12 */7",
    "0-59/5,7 1-2,4-5/1 1,15 jan-Mar,OCT-12 mon-FRI,sun",
    "5,* *,5 * * *",
    "0\t9  *\t* *",
    " 0 9 * * * ",
    "@hourly",
    " @Midnight\t",
    "0 0 30 2 1",
    "0 0 29 2 *",
    "0 0 30 1,2 *",
  ];
  for (const expression of expressions) assert(validateCronExpression(expression), expression);
});

Deno.test("a zone that is not an IANA zone is refused with an error that names it", () => {
  for (const zone of ["Mars/Phobos", "", " UTC", "+05:30", "-03", "GMT+5", "America/New York"]) {
    const problem = `timezone: unknown IANA time zone "${zone}"`;
    assertThrows(() => getNextCronTime("0 9 * * *", NOW, zone), RangeError, problem);
    assertThrows(() => assertTimeZone(zone), RangeError, problem);
  }
});

Deno.test("a name that does not mean one place is refused, and the error offers the near ones", () => {
  const offered: [string, string][] = [
    ["BST", "Europe/London or Asia/Dhaka"],
    ["ist", "Asia/Kolkata or Europe/Dublin or Asia/Jerusalem"],
    ["EST", "America/New_York or America/Panama"],
    ["EDT", "America/New_York or America/Panama"],
    ["CST6CDT", "America/Chicago"],
    ["PST8PDT", "America/Los_Angeles"],
    ["MST", "America/Denver or America/Phoenix"],
    ["HST", "Pacific/Honolulu"],
    ["CET", "Europe/Berlin or Europe/Paris"],
    ["GMT", "UTC or Europe/London"],
    ["Zulu", "UTC"],
    ["Etc/GMT+5", "UTC"],
    ["Japan", "Asia/Tokyo"],
    ["Cuba", "America/Havana"],
    ["London", "Europe/London"],
    ["Europe/Lodnon", "Europe/London or Europe/Lisbon"],
    ["new york", "America/New_York"],
  ];
  for (const [zone, near] of offered) {
    const error = assertThrows(() => getNextCronTime("0 9 * * *", NOW, zone), RangeError);
    assert(error.message.startsWith(`timezone: unknown IANA time zone "${zone}"`), error.message);
    assert(error.message.endsWith(`; did you mean ${near}?`), error.message);
  }
});

Deno.test("names of the IANA database that mean one place are taken in any case, and UTC", () => {
  const names = [
    ...Intl.supportedValuesOf("timeZone").filter((name) => name.includes("/")),
    ...["UTC", "utc", "Etc/UTC", "Asia/Kolkata", "Asia/Calcutta", "Europe/Kyiv", "US/Pacific"],
    ...["america/argentina/buenos_aires", "America/Port-au-Prince", "EUROPE/LONDON"],
  ];
  for (const name of names.filter((name) => !name.startsWith("Etc/GMT"))) assertTimeZone(name);
});

Deno.test("a zone that is not a string is refused", () => {
  for (const value of [null, 5, {}, Symbol("zone")]) {
    const zone = value as unknown as string;
    assertThrows(() => getNextCronTime("0 9 * * *", NOW, zone), RangeError, "timezone: ");
  }
});

Deno.test("a date that is invalid or out of range is refused", () => {
  const dates = [new Date(NaN), new Date(8.64e15), new Date(-8.64e15), "2026-01-01", undefined];
  for (const value of dates) {
    const after = value as Date;
    assertThrows(() => getNextCronTime("0 9 * * *", after), RangeError, "after: must be a valid");
  }
});

Deno.test("the bounds of the supported years are answered", () => {
  const first = new Date("0001-01-01T00:00:00Z");
  assertEquals(getNextCronTime("0 0 29 2 *", first), new Date("0004-02-29T00:00:00Z"));
  const last = new Date("9999-12-31T23:59:59.999Z");
  assertEquals(getNextCronTime("@yearly", last), new Date("+010000-01-01T00:00:00Z"));
  assert(getNextCronTime("0 9 * * *", first, "Europe/Berlin") > first);
  assert(getNextCronTime("0 9 * * *", last, "Europe/Berlin") > last);
});
