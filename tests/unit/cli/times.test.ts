/** Times, durations and tables as the command reads and shows them. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../cli/errors.ts";
import { fields, table } from "../../../cli/messenger/table.ts";
import {
  parseMoment,
  showDuration,
  showExactDuration,
  showRelative,
} from "../../../cli/messenger/times.ts";

const now = new Date("2026-03-01T12:00:00Z");
const look = { wide: false, columns: Infinity, now };

Deno.test("a time is a moment, a date, a day, or a duration before or after the present", () => {
  const at = (text: string, bare: "ago" | "in" = "ago") =>
    parseMoment(text, "from", now, bare).toISOString();
  for (
    const [text, expected] of [
      ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"],
      ["2026-11-22T10:00:00+02:00", "2026-11-22T08:00:00.000Z"],
      ["2026-11-22 10:00", "2026-11-22T10:00:00.000Z"],
      ["2026-11-22", "2026-11-22T00:00:00.000Z"],
      ["now", "2026-03-01T12:00:00.000Z"],
      ["Yesterday", "2026-02-28T00:00:00.000Z"],
      ["today", "2026-03-01T00:00:00.000Z"],
      ["tomorrow", "2026-03-02T00:00:00.000Z"],
      ["1h", "2026-03-01T11:00:00.000Z"],
      ["2d ago", "2026-02-27T12:00:00.000Z"],
      ["3 minutes ago", "2026-03-01T11:57:00.000Z"],
      ["2028-02-29", "2028-02-29T00:00:00.000Z"],
      ["2 days ago", "2026-02-27T12:00:00.000Z"],
      ["1.5h", "2026-03-01T10:30:00.000Z"],
      ["in 5m", "2026-03-01T12:05:00.000Z"],
      ["1w", "2026-02-22T12:00:00.000Z"],
    ] as const
  ) {
    assertEquals(at(text), expected, text);
  }
  assertEquals(at("1h", "in"), "2026-03-01T13:00:00.000Z");
  assertEquals(at("1h ago", "in"), "2026-03-01T11:00:00.000Z");
  const none = ["", "soon", "in 5m ago", "5", "h", "1e9y", "-1s", "99999999999999d", "20000000d"];
  const noUnits = ["3 months", "3mo", "2 mice", "5 sheep", "1 hot dog"];
  const noDays = ["2026-13-01", "2026-02-29", "2026-02-30", "2026-04-31T10:00:00Z", "2026-00-10"];
  for (const text of [...none, ...noUnits, ...noDays]) {
    assertThrows(() => at(text), UsageError, "--from: is no time", text);
  }
});

Deno.test("durations are shown in the unit that people would say", () => {
  assertEquals(
    [0, 250, 1200, 59_900, 180_000, 3_600_000, 5_400_000, 172_800_000].map(showDuration),
    [
      "0 ms",
      "250 ms",
      "1.2 s",
      "59.9 s",
      "3 m",
      "1 h",
      "1 h 30 m",
      "2 d",
    ],
  );
  assertEquals(
    [0, 250, 1500, 60_000, 90_000, 3_600_000, 90_061_001].map(showExactDuration),
    ["0 ms", "250 ms", "1.5 s", "1 m", "1 m 30 s", "1 h", "1 d 1 h 1 m 1.001 s"],
  );
  assertEquals(showRelative(new Date("2026-03-01T11:57:00Z"), now), "3 m ago");
  assertEquals(showRelative(new Date("2026-03-01T14:00:00Z"), now), "in 2 h");
});

Deno.test("a table shows no as no and nothing as a dash, and times by how far they are", () => {
  const entries = [
    { id: "1", paused: false, failedAt: "2026-03-01T11:00:00Z", leaseMs: 1200, error: null },
    { id: "22", paused: true, failedAt: "2026-03-01T11:59:59Z", leaseMs: null, error: "a\nb" },
  ];
  const columns = ["id", "paused", "failedAt", "leaseMs", "error"];
  assertEquals(table(entries, columns, look).text.split("\n"), [
    "ID   PAUSED   FAILED    LEASE   ERROR",
    "1    no       1 h ago   1.2 s   -",
    "22   yes      1 s ago   -       a b",
  ]);
  const wide = table(entries, columns, { ...look, wide: true }).text;
  assert(wide.includes("2026-03-01 11:00:00Z"));
  assertEquals(table([], ["id", "type"], look).text, "ID   TYPE", "no entry is no error");
});

Deno.test("what is cut is told, and nothing is cut where it is wide or no terminal", () => {
  const entries = [{ id: "1", error: "x".repeat(100) }];
  const cut = table(entries, ["id", "error"], { ...look, columns: 40 });
  assertEquals([cut.isCut, cut.text.split("\n")[1]?.length], [true, 40]);
  for (const other of [{ ...look, columns: 40, wide: true }, look]) {
    const whole = table(entries, ["id", "error"], other);
    assertEquals([whole.isCut, whole.text.includes("x".repeat(100))], [false, true]);
  }
});

Deno.test("fields are shown whole, with times both ways", () => {
  const text = fields(
    { id: "1", enabled: false, at: "2026-03-01T11:00:00Z", config: { a: 1 } },
    look,
  );
  assertEquals(text.split("\n"), [
    "id        1",
    "enabled   no",
    "at        2026-03-01 11:00:00Z (1 h ago)",
    "config    {",
    '            "a": 1',
    "          }",
  ]);
});
