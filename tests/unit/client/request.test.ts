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
  const { cause } = await bus.messenger.dispatch("Note", {}, { signal }).catch((error) => error);
  assertEquals([cause, page.left()], ["left", { timers: 0, listeners: 0 }]);
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

Deno.test("a dispatch that is aborted after it was sent tells its key, and the reason", async () => {
  using page = fakePage();
  const bus = followed();
  const { invoke } = bus.supabase.functions;
  bus.supabase.functions.invoke = async (...call) => {
    await invoke(...call);
    return await new Promise(() => {});
  };
  const leaving = new AbortController();
  const { signal } = leaving;
  const sent = [
    bus.messenger.dispatch("Note", {}, { signal }),
    bus.messenger.dispatch("Note", {}, { signal, idempotencyKey: "mine" }),
    bus.messenger.dispatchAll([{ type: "Note", payload: 1 }], { signal }),
  ].map((promise) => assertRejects(() => promise, MessengerError));
  await page.settle();
  leaving.abort();
  const [one, own, all] = await Promise.all(sent);
  const keys = bus.requests.map(({ body }) =>
    [body as { idempotencyKey: string }].flat().map((one) => one.idempotencyKey)
  );
  assertEquals([[one?.idempotencyKey], [own?.idempotencyKey], all?.idempotencyKeys], keys);
  assertEquals(keys[1], ["mine"]);
  for (const error of [one, own, all]) {
    const { code, name, cause, retryable } = error as MessengerError;
    assertEquals([code, name, cause, retryable], ["aborted", "AbortError", signal.reason, false]);
  }
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("a dispatch without a key throws the caller's own reason", async () => {
  using _page = fakePage();
  const bus = followed({}, null);
  const leaving = new AbortController();
  bus.supabase.functions.invoke = () => new Promise(() => leaving.abort("left"));
  const { signal } = leaving;
  const reason = await bus.messenger.dispatch("Note", {}, { signal }).catch((reason) => reason);
  assertEquals(reason, "left");
});

Deno.test("a dispatch with a dedupe key gets no idempotency key", async () => {
  using _page = fakePage();
  const bus = followed();
  const bodies: unknown[] = [];
  const invoke = bus.supabase.functions.invoke.bind(bus.supabase.functions);
  bus.supabase.functions.invoke = (name, options) => {
    bodies.push(options?.body);
    return invoke(name, options);
  };
  const { idempotencyKey } = await bus.messenger.dispatch("Note", {}, { dedupeKey: "draft" });
  assertEquals(idempotencyKey, undefined);
  assertEquals(bodies.map((body) => typeof body === "string" ? JSON.parse(body) : body), [
    { type: "Note", payload: {}, dedupeKey: "draft" },
  ]);
});

Deno.test("a dispatch asks for the session once", async () => {
  using _page = fakePage();
  const bus = followed();
  let asked = 0;
  const { getSession } = bus.supabase.auth;
  bus.supabase.auth.getSession = () => (asked++, getSession());
  await bus.messenger.dispatch("Note", {});
  assertEquals(asked, 1);
});

Deno.test("a repeat sends what was dispatched, whatever becomes of the payload meanwhile", async () => {
  using page = fakePage();
  const bus = followed();
  bus.failure = { status: 0 };
  const payload = { text: "first" };
  const dispatching = bus.messenger.dispatch("Note", payload);
  await page.advance(0);
  payload.text = "second";
  bus.failure = undefined;
  await page.advance(1_000);
  await dispatching;
  const [first, second] = bus.requests.map(({ body }) => body);
  assertEquals([bus.requests.length, second], [2, first]);
});
