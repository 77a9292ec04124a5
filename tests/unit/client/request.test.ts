/** Repeats of requests: which ones, how often, and when. */

import { assertEquals, assertRejects } from "@std/assert";
import { type MessengerClientOptions, MessengerError } from "../../../client/mod.ts";
import { fakePage } from "../../support/fake_page.ts";
import { followed } from "../../support/followed.ts";

const LIMITED = { status: 429, body: { code: "rate_limited" }, headers: { "retry-after": "6" } };

Deno.test("a rate limit is thrown at once, unless retries or onWait say to wait", async () => {
  using page = fakePage();
  const requests = async (options: MessengerClientOptions) => {
    const bus = followed(options);
    bus.failure = LIMITED;
    const failing = assertRejects(() => bus.messenger.dispatch("Note", {}), MessengerError);
    await page.advance(60_000);
    const { code, retryAfterMs } = await failing;
    assertEquals([code, retryAfterMs], ["rate_limited", 6_000]);
    return bus.requests.length;
  };
  const waits: number[] = [];
  assertEquals(await requests({}), 1);
  assertEquals(await requests({ retries: 0 }), 1);
  assertEquals(await requests({ retries: 2 }), 3);
  assertEquals(await requests({ onWait: (ms) => waits.push(ms) }), 4);
  assertEquals(waits.map((ms) => ms >= 6_000 && ms <= 9_000), [true, true, true]);
});

Deno.test("a wait that is longer than a minute is not begun", async () => {
  using page = fakePage();
  const bus = followed({ retries: 5 });
  bus.failure = { ...LIMITED, headers: { "retry-after": "61" } };
  const error = await assertRejects(() => bus.messenger.dispatch("Note", {}), MessengerError);
  assertEquals([error.retryAfterMs, bus.requests.length], [61_000, 1]);
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("an abort ends a wait at once, also one of the moment in which it begins", async () => {
  using page = fakePage();
  const leaving = new AbortController();
  const bus = followed({ onWait: () => leaving.abort("left") });
  bus.failure = LIMITED;
  const { signal } = leaving;
  const reason = await bus.messenger.dispatch("Note", {}, { signal }).catch((reason) => reason);
  assertEquals([reason, page.left()], ["left", { timers: 0, listeners: 0 }]);
});

Deno.test("only what changes nothing the second time is repeated without an answer", async () => {
  using page = fakePage();
  const hourly = { type: "interval", config: { interval: "1h" } } as const;
  const bus = followed();
  bus.failure = { status: 0 };
  const requests = async (act: () => Promise<unknown>) => {
    const { length } = bus.requests;
    const failing = assertRejects(act, MessengerError);
    await page.advance(60_000);
    assertEquals((await failing).code, "unavailable");
    return bus.requests.length - length;
  };
  const { messenger } = bus;
  assertEquals(await requests(() => messenger.dispatch("Note", {})), 4);
  assertEquals(await requests(() => messenger.status("1")), 4);
  assertEquals(await requests(() => messenger.cancel("1")), 4);
  assertEquals(await requests(() => messenger.schedules.delete("1")), 1);
  assertEquals(await requests(() => messenger.schedules.create("Note", {}, hourly)), 1);
  const named = { ...hourly, name: "mine" };
  assertEquals(await requests(() => messenger.schedules.create("Note", {}, named)), 4);
  bus.signIn(null);
  assertEquals(await requests(() => messenger.dispatch("Note", {})), 1);
});
