/** The limit of log lines: what is written, what is counted, and how that is told. Time is passed in. */

import { assert, assertEquals } from "@std/assert";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

/** A logger with a limit, and what it wrote, by a clock that the test moves. */
function limited(limit: number | undefined) {
  const lines: Record<string, unknown>[] = [];
  const clock = { ms: Date.parse("2026-01-02T03:04:05Z") };
  const log = createLogger({
    level: "debug",
    limit,
    now: () => new Date(clock.ms),
    write: (_, line) => lines.push(JSON.parse(line)),
  });
  const count = (event: string) => lines.filter((line) => line.event === event).length;
  return { log, lines, clock, count };
}

const times = (n: number, call: (n: number) => void) => {
  for (let i = 0; i < n; i++) call(i);
};

Deno.test("lines below the limit are written, and nothing is told", () => {
  const { log, lines } = limited(100);
  times(5, (n) => log.info(`row ${n}`));
  log.flush?.();
  assertEquals(lines.length, 5);
});

Deno.test("a storm stays within the limit, and its lines are told by event with counts, times and an id", () => {
  const { log, lines, clock } = limited(100);
  times(5_000, (n) => {
    clock.ms += 1;
    log.with({ id: `m${n}` }).info("imported", { n });
  });
  assert(lines.length <= 100, `${lines.length} lines`);
  log.flush?.();
  const told = lines.at(-1);
  assertEquals(told?.event, "lines_left_out");
  assertEquals(told?.level, "warn");
  assertEquals(told?.lines, 5_000 - (lines.length - 1));
  const [imported] = told?.leftOut as Record<string, unknown>[];
  assertEquals([imported?.event, imported?.level, imported?.count], [
    "imported",
    "info",
    told?.lines,
  ]);
  assertEquals(imported?.lastAt, "2026-01-02T03:04:10.000Z");
  assert(/^m\d+$/.test(String(imported?.id)));
});

Deno.test("the next window tells what the one before left out, before its own first line", () => {
  const { log, lines, clock } = limited(100);
  times(1_000, () => log.info("imported"));
  const before = lines.length;
  clock.ms += 10_000;
  log.info("later");
  assertEquals(lines.slice(before).map(({ event }) => event), ["lines_left_out", "later"]);
  clock.ms += 10_000;
  log.info("much later");
  assertEquals(lines.at(-1)?.event, "much later");
  assertEquals(lines.length, before + 3);
});

Deno.test("errors are written where there is no room for infos any more", () => {
  const { log, count } = limited(100);
  times(100, (n) => log.info(`row ${n}`));
  log.error("broke");
  assertEquals(count("broke"), 1);
});

Deno.test("handlers cannot crowd out the library's lines, nor it theirs", () => {
  const one = limited(100);
  times(1_000, (n) => one.log.error(`row ${n}`));
  one.log.warn("lease_lost", { ids: ["1"] });
  assertEquals(one.count("lease_lost"), 1);
  const other = limited(100);
  times(1_000, () => other.log.error("settle_refused"));
  other.log.info("row");
  assertEquals(other.count("row"), 1);
});

Deno.test("one event leaves room for the others of its part", () => {
  const { log, count } = limited(100);
  times(1_000, () => log.warn("call_repeated"));
  log.warn("lease_lost");
  assertEquals(count("lease_lost"), 1);
});

Deno.test("names without number are counted together", () => {
  const { log, lines } = limited(10);
  times(5_000, (n) => log.info(`row ${n}`));
  log.flush?.();
  const told = lines.at(-1);
  const leftOut = told?.leftOut as { event: string; count: number }[];
  assert(leftOut.length <= 20);
  assert(leftOut.some(({ event, count }) => event === "others" && count > 4_000));
  assertEquals(told?.lines, 5_000 - (lines.length - 1));
});

Deno.test("a clock that is set back begins a new window", () => {
  const { log, lines, clock } = limited(100);
  times(1_000, () => log.info("imported"));
  clock.ms -= 3_600_000;
  log.info("earlier");
  assertEquals(lines.at(-1)?.event, "earlier");
});

Deno.test("without a limit every line is written", () => {
  const { log, lines } = limited(undefined);
  times(1_000, () => log.info("imported"));
  log.flush?.();
  assertEquals(lines.length, 1_000);
});

Deno.test("a line whose id cannot be read is written and counted like any other", () => {
  const { log, lines, count } = limited(10);
  const hostile = {
    get id(): string {
      throw new Error("no");
    },
  };
  const { proxy, revoke } = Proxy.revocable<Record<string, unknown>>({}, {});
  revoke();
  times(5, () => log.error("hostile", hostile));
  log.error("revoked", proxy);
  assertEquals([count("hostile") > 0, count("revoked")], [true, 1]);
  const written = count("hostile");
  log.flush?.();
  assertEquals(lines.at(-1)?.lines, 5 - written);
});
