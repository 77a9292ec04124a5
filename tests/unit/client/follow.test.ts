/** Following: which states a caller gets, how it ends, and that nothing stays behind. */

import { assertEquals, assertRejects } from "@std/assert";
import { isMessengerError, type MessageStates, MessengerError } from "../../../client/mod.ts";
import { fakePage } from "../../support/fake_page.ts";
import { type Followed, followed } from "../../support/followed.ts";

const NOTHING = { timers: 0, listeners: 0 };

/** Collects the statuses that a loop sees, and then how it ended. */
function collect(states: MessageStates): string[] {
  const seen: string[] = [];
  (async () => {
    for await (const { status } of states) seen.push(status);
  })().then(
    () => seen.push("the end"),
    (error) => seen.push(isMessengerError(error) ? error.code : String(error)),
  );
  return seen;
}

/** Checks that the client left no timer, no listener and no request. */
function assertNothingIsLeft(page: ReturnType<typeof fakePage>, { listeners, requests }: Followed) {
  assertEquals([page.left(), listeners()], [NOTHING, 0]);
  assertEquals(
    requests.filter(({ name }) => name.endsWith("status")).at(-1)?.signal?.aborted,
    true,
  );
}

Deno.test("a follow yields each status once, the last progress, and ends with the message", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const seen = collect(bus.messenger.follow("1"));
  await page.advance(0);
  bus.put("1", { status: "processing", attempt: 1 });
  await page.advance(5_000);
  bus.put("1", { status: "handled", availableAt: null });
  await page.advance(5_000);
  assertEquals(seen, ["pending", "processing", "handled", "the end"]);
  assertNothingIsLeft(page, bus);
});

Deno.test("a message that was seen and is gone has ended, and is not remembered", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const seen = collect(bus.messenger.follow("1"));
  await page.advance(0);
  bus.stored.delete("1");
  await page.advance(5_000);
  assertEquals(seen, ["pending", "not_remembered", "the end"]);
});

Deno.test("a message that this client dispatched and never saw is not remembered either", async () => {
  using page = fakePage();
  const bus = followed();
  const job = await bus.messenger.dispatch("Note", {});
  bus.stored.delete(job.id);
  assertEquals(collect(job.follow()), []);
  const end = job.finished();
  await page.advance(0);
  const { status, type, id } = await end;
  assertEquals([status, type, id], ["not_remembered", "Note", job.id]);
  const error = await assertRejects(() => job.status(), MessengerError);
  assertEquals([error.code, error.status], ["not_remembered", 404]);
});

Deno.test("a message that nothing is known of is not found", async () => {
  using page = fakePage();
  const bus = followed();
  const seen = collect(bus.messenger.follow("7"));
  await page.advance(0);
  assertEquals(seen, ["not_found"]);
  assertNothingIsLeft(page, bus);
});

Deno.test("return ends a follow at once while the message is due later", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { availableAt: "2026-11-24T10:00:20Z" });
  const states = bus.messenger.follow("1");
  const first = states.next();
  await page.advance(0);
  assertEquals((await first).value?.status, "pending");
  const waiting = states.next();
  assertEquals(await states.return(), { done: true, value: undefined });
  assertEquals(await waiting, { done: true, value: undefined });
  assertEquals(await states.next(), { done: true, value: undefined });
  assertNothingIsLeft(page, bus);
});

Deno.test("a follow leaves nothing behind at the last state, also if no further one is asked for", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "handled" });
  const states = bus.messenger.follow("1");
  const first = states.next();
  await page.advance(0);
  assertEquals((await first).value?.status, "handled");
  assertNothingIsLeft(page, bus);
  assertEquals((await states.next()).done, true);
});

Deno.test("an abort throws the caller's own reason, before, while and after something is waited for", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { availableAt: "2026-11-24T10:00:20Z" });
  const reason = { why: "left" };
  const leaving = new AbortController();
  const { signal } = leaving;
  const states = bus.messenger.follow("1", { signal });
  const first = states.next();
  await page.advance(0);
  await first;
  const waiting = states.next();
  leaving.abort(reason);
  const caught = (promise: Promise<unknown>) => promise.then(() => "nothing", (error) => error);
  assertEquals(await caught(waiting), reason);
  assertEquals(await states.next(), { done: true, value: undefined });
  for (
    const call of [
      () => bus.messenger.follow("1", { signal }).next(),
      () => bus.messenger.finished("1", { signal }),
      () => bus.messenger.status("1", { signal }),
      () => bus.messenger.dispatch("Note", {}, { signal }),
    ]
  ) assertEquals(await caught(call()), reason);
  assertNothingIsLeft(page, bus);
});

Deno.test("an abort ends a follow at once, also if no further state is asked for", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { availableAt: "2026-11-24T10:00:20Z" });
  const leaving = new AbortController();
  const states = bus.messenger.follow("1", { signal: leaving.signal });
  const first = states.next();
  await page.advance(0);
  await first;
  leaving.abort("left");
  assertNothingIsLeft(page, bus);
  assertEquals(await states.next().catch((reason) => reason), "left");
});

Deno.test("a follow without a reader asks for nothing", async () => {
  using page = fakePage();
  const bus = followed();
  bus.messenger.follow("1");
  bus.messenger.observe("1").get();
  bus.messenger.job("1");
  await page.advance(60_000);
  assertEquals([bus.requests, page.left()], [[], NOTHING]);
});

Deno.test("failures that may pass do not end a follow, those that do not pass do", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const seen = collect(bus.messenger.follow("1"));
  await page.advance(0);
  for (const status of [0, 503, 429, 0]) {
    bus.failure = { status };
    await page.advance(60_000);
  }
  bus.failure = undefined;
  bus.put("1", { status: "processing", attempt: 1 });
  await page.advance(30_000);
  assertEquals(seen, ["pending", "processing"]);
  bus.failure = { status: 500, body: { code: "misconfigured", message: "no database" } };
  await page.advance(30_000);
  assertEquals(seen, ["pending", "processing", "internal"]);
  assertNothingIsLeft(page, bus);
});

Deno.test("an answer that is no answer of the server's is a failure that may pass", async () => {
  using page = fakePage();
  const bus = followed({ retries: 0 });
  bus.supabase.functions.invoke = () => Promise.resolve({ data: "<html>", error: null });
  const error = await assertRejects(() => bus.messenger.status("1"), MessengerError);
  assertEquals([error.code, error.detail], ["unavailable", "no_answer"]);
  assertEquals(page.left(), NOTHING);
});

Deno.test("a request without an answer has an end", async () => {
  using page = fakePage();
  const bus = followed({ retries: 0 });
  bus.supabase.functions.invoke = () => new Promise(() => {});
  const failing = assertRejects(() => bus.messenger.dispatch("Note", {}), MessengerError);
  await page.advance(30_000);
  const error = await failing;
  assertEquals([error.code, typeof error.idempotencyKey], ["unavailable", "string"]);
  assertEquals(page.left(), NOTHING);
});

Deno.test("an observer's listener is never called while it subscribes, and soon after where a state is known", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "handled" });
  const observer = bus.messenger.observe("1");
  const calls: string[] = [];
  const watch = (name: string) => observer.subscribe(() => calls.push(name));
  const stops = [watch("one")];
  await page.advance(0);
  assertEquals(calls, ["one"]);
  stops.push(watch("two"));
  watch("three")();
  assertEquals(calls, ["one"]);
  await page.settle();
  assertEquals(calls, ["one", "two"]);
  for (const stop of stops) stop();
  assertNothingIsLeft(page, bus);
});

Deno.test("an observer of a dead letter sees that it is redriven, and a follow has ended", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "failed", attempt: 3, reason: "exhausted", availableAt: null });
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  const seen = collect(bus.messenger.follow("1"));
  await page.advance(60_000);
  assertEquals([bus.looks().length, seen], [3, ["failed", "the end"]]);
  const again = { attempt: 0, reason: null, availableAt: "2026-11-24T10:01:10Z" };
  bus.put("1", { status: "pending", ...again });
  await page.advance(30_000);
  assertEquals(observer.get().message, bus.stored.get("1")?.state);
  bus.put("1", { status: "handled", attempt: 1 });
  await page.advance(30_000);
  const { length } = bus.looks();
  await page.advance(300_000);
  assertEquals([observer.get().message?.status, bus.looks().length], ["handled", length]);
  stop();
  assertNothingIsLeft(page, bus);
});
