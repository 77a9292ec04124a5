/** Follows on a page whose clock is wrong, and timers that a server asks for. */

import { assertEquals } from "@std/assert";
import { fakePage } from "../../support/fake_page.ts";
import { followed } from "../../support/followed.ts";

/** How many looks at one message there are in some time. */
async function looksWithin(ms: number, before: (bus: ReturnType<typeof followed>) => void) {
  using page = fakePage();
  const bus = followed();
  before(bus);
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(ms);
  stop();
  return bus.looks().length;
}

Deno.test("where the page's clock is an hour behind, a message is looked at as often as elsewhere", async () => {
  const now = "2026-11-24T10:00:00Z";
  const later = "2026-11-24T11:00:00Z";
  const right = await looksWithin(10_000, (bus) => bus.put("1", { createdAt: now }));
  const behind = await looksWithin(
    10_000,
    (bus) => bus.put("1", { createdAt: later, availableAt: later }),
  );
  assertEquals([right > 3, behind], [true, right]);
});

Deno.test("follows continue after the page's clock is set back by an hour", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "processing", attempt: 1 });
  const end = bus.messenger.finished("1");
  await page.advance(3_000);
  const { now } = Date;
  Date.now = () => now() - 3_600_000;
  await page.advance(120_000);
  const during = bus.looks().length;
  assertEquals([during > 10, during < 60], [true, true], `${during} looks`);
  bus.put("1", { status: "handled" });
  await page.advance(30_000);
  assertEquals((await end).status, "handled");
});

Deno.test("a wait that is longer than timers can be does not become none", async () => {
  const longest: number[] = [];
  const looks = await looksWithin(20_000, (bus) => {
    bus.put("1");
    bus.failure = { status: 429, headers: { "retry-after": "9999999" } };
    const { setTimeout } = globalThis;
    globalThis.setTimeout = ((run: () => void, ms = 0) => {
      longest.push(ms);
      return setTimeout(run, ms);
    }) as typeof setTimeout;
  });
  assertEquals([looks, Math.max(...longest) < 2 ** 31], [1, true]);
});

Deno.test("a server may tell the time of the next request as a date", async () => {
  using page = fakePage();
  const bus = followed({ onWait: (ms) => waits.push(ms) });
  const waits: number[] = [];
  const at = new Date(Date.now() + 20_000).toUTCString();
  bus.failure = { status: 429, headers: { "retry-after": at } };
  const sent = bus.messenger.dispatch("Note", {});
  await page.advance(0);
  assertEquals(waits.map((ms) => ms >= 20_000 && ms <= 30_000), [true]);
  bus.failure = undefined;
  await page.advance(30_000);
  assertEquals((await sent).id, "100");
});
