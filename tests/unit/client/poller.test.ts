/** One poll for all messages: how many requests a client makes for the messages that it follows. */

import { assertEquals } from "@std/assert";
import { fakePage } from "../../support/fake_page.ts";
import { followed } from "../../support/followed.ts";

const ids = (count: number) => Array.from({ length: count }, (_, n) => String(n + 1));

Deno.test("ten follows with progress make one request a poll, less and less often", async () => {
  using page = fakePage();
  const bus = followed();
  const ends = ids(10).map((id) => {
    bus.put(id, { status: "processing", attempt: 1 });
    return bus.messenger.finished(id);
  });
  for (let second = 0; second < 15; second++) {
    for (const id of ids(10)) {
      const at = new Date(Date.now()).toISOString();
      bus.put(id, { progress: { value: second / 15, note: null, at } });
    }
    await page.advance(1_000);
  }
  assertEquals(bus.looks().length < 12, true, `${bus.looks().length} requests`);
  assertEquals(bus.looks().every((look) => look.length === 10), true);
  for (const id of ids(10)) bus.put(id, { status: "handled" });
  await page.advance(5_000);
  assertEquals((await Promise.all(ends)).map(({ status }) => status), Array(10).fill("handled"));
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("a thousand messages are asked for by a hundred, at most one request a second", async () => {
  using page = fakePage();
  const bus = followed();
  const stops = ids(1_000).map((id) => {
    bus.put(id);
    return bus.messenger.observe(id).subscribe(() => {});
  });
  await page.advance(0);
  assertEquals(bus.looks().map((look) => look.length), Array(10).fill(100));
  assertEquals(new Set(bus.looks().flat()).size, 1_000);
  await page.advance(60_000);
  assertEquals(bus.looks().length <= 10 + 70, true, `${bus.looks().length - 10} a minute at first`);
  await page.advance(300_000);
  const before = bus.looks().length;
  await page.advance(60_000);
  assertEquals(bus.looks().length - before <= 24, true, `${bus.looks().length - before} later`);
  for (const stop of stops) stop();
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("messages that have ended slow down no other", async () => {
  using page = fakePage();
  const bus = followed();
  const stops = ids(1_000).map((id) => {
    bus.put(id, { status: "handled" });
    return bus.messenger.observe(id).subscribe(() => {});
  });
  await page.advance(0);
  bus.put("1001");
  const end = bus.messenger.finished("1001");
  await page.advance(0);
  bus.put("1001", { status: "failed" });
  await page.advance(1_000);
  assertEquals((await end).status, "failed");
  for (const stop of stops) stop();
});

Deno.test("the first word of the session does not make a client ask twice", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const { onAuthStateChange } = bus.supabase.auth;
  bus.supabase.auth.onAuthStateChange = (listener) => {
    setTimeout(() => listener("INITIAL_SESSION", { user: { id: "ann" } }), 10);
    return onAuthStateChange(() => {});
  };
  const { invoke } = bus.supabase.functions;
  bus.supabase.functions.invoke = async (...given) => {
    await new Promise<void>((resolve) => setTimeout(resolve, 50));
    return await invoke(...given);
  };
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(100);
  assertEquals([bus.looks(), bus.requests[0]?.signal?.aborted], [[["1"]], true]);
  assertEquals(bus.messenger.observe("1").get().message?.status, "pending");
  stop();
});

Deno.test("a follow and observers of one message share its polls", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const observer = bus.messenger.observe("1");
  let changes = 0;
  const stops = [1, 2].map(() => observer.subscribe(() => changes++));
  const end = bus.messenger.finished("1");
  await page.advance(0);
  assertEquals([bus.looks(), changes], [[["1"]], 2]);
  const view = observer.get();
  assertEquals([view.message?.status, view.error, view.connection], [
    ...["pending", undefined, "polling"],
  ]);
  assertEquals(bus.messenger.observe("1").get() === view, true);
  bus.put("1", { status: "handled" });
  await page.advance(5_000);
  assertEquals([(await end).status, observer.get().message?.status], ["handled", "handled"]);
  const { length } = bus.requests;
  await page.advance(300_000);
  assertEquals(bus.requests.length, length);
  for (const stop of stops) stop();
  for (const stop of stops) stop();
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("a message that waits is looked at when it is due", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "retrying", attempt: 1, availableAt: "2026-11-24T10:00:20Z" });
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(0);
  await page.advance(14_000);
  assertEquals(bus.looks().length, 1);
  await page.advance(6_000);
  assertEquals(bus.looks().length, 2);
  stop();
});

Deno.test("a rate limit on polls is kept, also when the page is looked at again", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(0);
  bus.failure = { status: 429, headers: { "retry-after": "20" } };
  await page.advance(500);
  bus.failure = undefined;
  const { length } = bus.requests;
  await page.advance(10_000);
  page.fire("focus");
  await page.advance(10_000 - 1);
  assertEquals(bus.requests.length, length);
  await page.advance(10_001);
  assertEquals(bus.requests.length > length, true);
  stop();
});

Deno.test("polls are as frequent as before once one succeeds, however long a wait was asked for", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1", { status: "processing", attempt: 1 });
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(0);
  bus.failure = { status: 429, headers: { "retry-after": "3600" } };
  await page.advance(500);
  bus.failure = undefined;
  await page.advance(60_000);
  const { length } = bus.requests;
  bus.put("1", { status: "processing", attempt: 2 });
  await page.advance(30_000);
  bus.put("1", { status: "processing", attempt: 3 });
  await page.advance(30_000);
  assertEquals(bus.requests.length - length > 5, true, `${bus.requests.length - length} looks`);
  stop();
});

Deno.test("a listener that throws does not keep the client from looking again", async () => {
  const thrown: string[] = [];
  const onThrown = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    thrown.push(event.reason.message);
  };
  addEventListener("unhandledrejection", onThrown);
  {
    using page = fakePage();
    const bus = followed();
    bus.put("1");
    const stop = bus.messenger.observe("1").subscribe(() => {
      throw new Error("the app's");
    });
    await page.advance(10_000);
    assertEquals([bus.looks().length > 3, thrown], [true, ["the app's"]]);
    stop();
    assertEquals(page.left(), { timers: 0, listeners: 0 });
  }
  removeEventListener("unhandledrejection", onThrown);
});
