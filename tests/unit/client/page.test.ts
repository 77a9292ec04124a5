/** Offline, focus and sleep: what a page's events change. */

import { assertEquals, assertRejects } from "@std/assert";
import { MessengerError } from "../../../client/mod.ts";
import { fakePage } from "../../support/fake_page.ts";
import { followed } from "../../support/followed.ts";

Deno.test("a follow survives any time offline, says so, and polls at once when the page is online again", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const observer = bus.messenger.observe("1");
  const connections: string[] = [];
  const stop = observer.subscribe(() => {
    const { connection } = observer.get();
    if (connection !== connections.at(-1)) connections.push(connection);
  });
  const end = bus.messenger.finished("1");
  await page.advance(0);
  page.isOnline = false;
  bus.failure = { status: 0 };
  page.fire("offline");
  await page.advance(600_000);
  bus.put("1", { status: "handled" });
  page.isOnline = true;
  bus.failure = undefined;
  page.fire("online");
  await page.advance(0);
  assertEquals((await end).status, "handled");
  assertEquals(connections, ["polling", "offline", "polling"]);
  stop();
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("a page that is looked at again polls at once, and gives up a poll from before a sleep", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(600_000);
  for (const type of ["focus", "visibilitychange"] as const) {
    const { length } = bus.looks();
    for (let times = 0; times < 3; times++) page.fire(type);
    await page.advance(0);
    assertEquals(bus.looks().length, length + 1);
    await page.advance(1_000);
  }
  const { invoke } = bus.supabase.functions;
  bus.supabase.functions.invoke = () => new Promise(() => {});
  await page.advance(30_000);
  bus.supabase.functions.invoke = invoke;
  const { length } = bus.looks();
  page.fire("focus");
  await page.advance(0);
  assertEquals(bus.looks().length, length + 1);
  stop();
});

Deno.test("a request that fails while the browser is offline says so, and is repeated", async () => {
  using page = fakePage();
  const bus = followed();
  page.isOnline = false;
  bus.failure = { status: 0 };
  const failing = assertRejects(() => bus.messenger.dispatch("Note", {}), MessengerError);
  await page.advance(60_000);
  const error = await failing;
  assertEquals([error.code, error.retryable], ["offline", true]);
  assertEquals(typeof error.idempotencyKey, "string");

  const dispatching = bus.messenger.dispatch("Note", {});
  await page.settle();
  page.isOnline = true;
  bus.failure = undefined;
  await page.advance(1_000);
  assertEquals((await dispatching).kind, "message");
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});
