/** The benchmarks' own rules: their command line, their counting, their figures. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkCounts } from "../../../bench/harness/drain.ts";
import { turns } from "../../../bench/harness/turns.ts";
import { parseOptions } from "../../../bench/options.ts";
import { withFigures } from "../../../bench/report/embed.ts";
import { figure, spread } from "../../../bench/report/markdown.ts";
import { atLeast, atMost, isMet, verdict } from "../../../bench/report/result.ts";
import { Samples } from "../../../bench/report/samples.ts";
import { median, percentile } from "../../../bench/report/stats.ts";

const counts = (...times: number[]) => ({
  counts: btoa(String.fromCharCode(...times)),
});

Deno.test("a benchmark runs five times unless it is quick or told otherwise", () => {
  assertEquals(parseOptions([]).runs, 5);
  assertEquals(parseOptions(["--quick"]).runs, 1);
  assertEquals(parseOptions(["--quick", "--runs", "3"]).runs, 3);
});

Deno.test("a benchmark's sizes can be chosen where they take long", () => {
  const { sizes } = parseOptions(["--w8-minutes", "0.5", "--w10-messages", "5000"]);
  assertEquals([sizes.soakMs, sizes.longDrain], [30_000, 5_000]);
});

Deno.test("a benchmark names the option that is wrong", () => {
  assertThrows(
    () => parseOptions(["--only", "W2,W99"]),
    RangeError,
    "only: there is no workload W99",
  );
  assertThrows(
    () => parseOptions(["--runs", "none"]),
    RangeError,
    "runs: has to be a number above 0",
  );
  assertThrows(() => parseOptions(["--w8-minutes", "-1"]), Error, "w8-minutes");
});

Deno.test("messages that several workers handled once each are counted together", () => {
  checkCounts("ours", [counts(1, 0, 1), counts(0, 1)], 3);
});

Deno.test("a message that was handled twice, not at all, or never written breaks a drain", () => {
  assertThrows(
    () => checkCounts("ours", [counts(1, 1), counts(0, 1)], 2),
    Error,
    "ours: message 1 was handled 2 times",
  );
  assertThrows(
    () => checkCounts("ours", [counts(1)], 2),
    Error,
    "ours: message 1 was handled 0 times",
  );
  assertThrows(
    () => checkCounts("ours", [counts(1, 1, 1)], 2),
    Error,
    "ours: message 2 was handled 1 times",
  );
});

Deno.test("a percentile lies between its two neighbours", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([1, 2]), 1.5);
  assertEquals(percentile([0, 10], 99), 9.9);
  assertEquals(median([]), NaN);
});

Deno.test("figures have three digits", () => {
  assertEquals([1234567, 1000, 999.9, 1.2345, 0].map(figure), [
    "1,230,000",
    "1,000",
    "1,000",
    "1.23",
    "0",
  ]);
  assertEquals(figure(NaN), "none");
});

Deno.test("a goal that is reached exactly is met", () => {
  assertEquals([atLeast("a", 2, 2), atMost("b", 2, 2)].map(isMet), [true, true]);
  assertEquals([atLeast("a", 1.9, 2), atMost("b", 2.1, 2)].map(isMet), [false, false]);
});

Deno.test("a ratio is the median of the ratios of rounds that were measured next to each other", () => {
  const rates = new Samples();
  // The machine is twice as fast in the last round, for both.
  for (const value of [20, 21, 44]) rates.add("ours", "messages/s", value);
  for (const value of [10, 10, 20]) rates.add("peer", "messages/s", value);
  assertEquals(rates.ratio("ours", "peer"), { value: 2.1, values: [2, 2.1, 2.2] });
  assertEquals(rates.ratio("none", "nothing"), { value: NaN, values: [] });
});

Deno.test("a ratio of names with different numbers of rounds is refused", () => {
  const rates = new Samples();
  rates.add("ours", "messages/s", 1);
  assertThrows(() => rates.ratio("ours", "peer"), Error, "ours has 1 values, peer has 0");
});

Deno.test("a verdict says that its limit lies between the smallest and the largest value", () => {
  const goal = (...values: number[]) => atLeast("a", { value: values[1] ?? NaN, values }, 2);
  assertEquals(
    [goal(2, 2.1, 2.2), goal(1.9, 2.1, 2.2), goal(1.8, 1.9, 2.1), goal(1, 1.5, 1.9)]
      .map(verdict),
    ["met", "met within the spread", "missed within the spread", "missed"],
  );
  assertEquals([atMost("a", 2, 2), atMost("a", 2.1, 2)].map(verdict), ["met", "missed"]);
});

Deno.test("a goal shows the smallest and the largest of its values and their number", () => {
  assertEquals(spread(atMost("a", { value: 2, values: [2.123, 1, 3] }, 2)), "1 to 3 (3)");
  assertEquals(spread(atMost("a", { value: 2, values: [2] }, 2)), "");
});

Deno.test("every other round runs backwards, so that no system always comes first", () => {
  assertEquals([0, 1, 2].map((round) => turns(["a", "b"], round).join("")), ["ab", "ba", "ab"]);
});

Deno.test("figures go between the marks of a page, and nowhere else", async () => {
  const page = await Deno.readTextFile(new URL("../../../docs/scaling.md", import.meta.url));
  const result = {
    ...{ id: "W1", title: "", runs: 3, quick: false, finishedAt: "", tookS: 1 },
    machine: { cpu: "", cores: 2, postgres: "", postgresFrom: "", deno: "" },
    measurements: [{ name: "ours", unit: "messages/s", values: [1, 54_321, 99_999] }],
  };
  const written = withFigures(page, [result]);
  assertEquals(
    written.match(/\| written by 1,000, one client \| 54,300 +\| messages\/s/g)?.length,
    1,
  );
  assertEquals(withFigures(written, [result]), written);
  assertEquals(withFigures("no marks", [result]), "no marks");
});
