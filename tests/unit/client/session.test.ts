/** Sessions: what becomes of follows and observers when users sign out and in. */

import { assertEquals, assertRejects } from "@std/assert";
import { isMessengerError, MessengerError } from "../../../client/mod.ts";
import { fakePage } from "../../support/fake_page.ts";
import { followed } from "../../support/followed.ts";

const code = (promise: Promise<unknown>) =>
  promise.then(() => "no error", (error) => isMessengerError(error) ? error.code : error);

Deno.test("a sign-out ends follows at once, and observers resume when the same user signs in", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  const end = code(bus.messenger.finished("1"));
  await page.advance(0);
  bus.signIn(null);
  assertEquals(await end, "signed_out");
  const { message, error, connection } = observer.get();
  assertEquals([message, error?.code, connection], [undefined, "signed_out", "signed_out"]);
  const { length } = bus.requests;
  await page.advance(300_000);
  assertEquals(bus.requests.length, length);
  assertEquals(await code(bus.messenger.finished("1")), "signed_out");

  bus.signIn("ann");
  await page.advance(0);
  assertEquals([observer.get().message?.status, observer.get().error], ["pending", undefined]);
  stop();
  assertEquals([page.left(), bus.listeners()], [{ timers: 0, listeners: 0 }, 0]);
});

Deno.test("another user's sign-in shows none of the first one's messages", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const job = await bus.messenger.dispatch("Note", {});
  const observers = ["1", job.id].map((id) => bus.messenger.observe(id));
  const views = observers.map((observer) => {
    const seen: unknown[] = [];
    observer.subscribe(() => seen.push(observer.get().message?.id));
    return seen;
  });
  await page.advance(0);
  for (const seen of views) seen.length = 0;
  bus.signIn("bob");
  await page.advance(60_000);
  assertEquals(views.flat().filter((id) => id !== undefined), []);
  assertEquals(observers.map((observer) => observer.get().error?.code), [
    ...["signed_out", "signed_out"],
  ]);
  for (const id of ["1", job.id]) {
    assertEquals(
      (await assertRejects(() => bus.messenger.status(id), MessengerError)).code,
      "not_found",
    );
  }
});

Deno.test("an answer that another user's token got does not end the first user's message", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const end = code(bus.messenger.finished("1"));
  await page.advance(0);
  // The other tab's sign-in is not told yet.
  bus.stored.set("1", { state: bus.stored.get("1")?.state as never, user: "bob" });
  bus.supabase.auth.getSession = () =>
    Promise.resolve({ data: { session: { user: { id: "bob" } } } });
  await page.advance(5_000);
  assertEquals(await end, "signed_out");
});

Deno.test("a renewed token and a repeated sign-in change nothing", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  let changes = 0;
  const stop = bus.messenger.observe("1").subscribe(() => changes++);
  await page.advance(0);
  bus.failure = { status: 401, body: { code: "unauthorized" } };
  await page.advance(600);
  bus.failure = undefined;
  bus.signIn("ann");
  await page.advance(10_000);
  assertEquals(changes, 1);
  stop();
});

Deno.test("a token that stays refused is a missing session", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  bus.failure = { status: 401, body: { code: "unauthorized" } };
  const end = code(bus.messenger.finished("1"));
  await page.advance(10_000);
  assertEquals(await end, "signed_out");
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("while a token cannot be renewed, a refusal is a failure that may pass", async () => {
  using page = fakePage();
  const bus = followed({ retries: 0 });
  bus.put("1");
  const { auth } = bus.supabase;
  const { getSession } = auth;
  // supabase-js sends requests without a token then.
  auth.getSession = () => Promise.resolve({ data: { session: null }, error: new Error("503") });
  bus.failure = { status: 403, body: { code: "forbidden", message: "type: you may not" } };
  assertEquals(await code(bus.messenger.dispatch("Note", {})), "unavailable");
  bus.failure = { status: 401, body: { code: "unauthorized" } };
  assertEquals(await code(bus.messenger.status("1")), "unavailable");
  const end = bus.messenger.finished("1");
  await page.advance(60_000);
  auth.getSession = getSession;
  bus.failure = undefined;
  bus.put("1", { status: "handled" });
  await page.advance(60_000);
  assertEquals((await end).status, "handled");
});

Deno.test("a visitor's follow asks for a user, and an observer's shows the message after sign-in", async () => {
  using page = fakePage();
  const bus = followed({}, null);
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  const end = code(bus.messenger.finished("1"));
  await page.advance(0);
  assertEquals([await end, observer.get().connection], ["signed_out", "signed_out"]);
  bus.signIn("ann");
  bus.put("1");
  await page.advance(10_000);
  assertEquals(observer.get().message?.status, "pending");
  stop();
});

Deno.test("a session that tells a visitor late changes nothing of what was refused", async () => {
  using page = fakePage();
  const bus = followed({}, null);
  const { onAuthStateChange } = bus.supabase.auth;
  bus.supabase.auth.onAuthStateChange = (listener) => {
    setTimeout(() => listener("INITIAL_SESSION", null), 100);
    return onAuthStateChange(() => {});
  };
  const observer = bus.messenger.observe("1");
  const connections: string[] = [];
  const stop = observer.subscribe(() => connections.push(observer.get().connection));
  await page.advance(10_000);
  assertEquals(new Set(connections), new Set(["signed_out"]));
  assertEquals(bus.looks().length <= 2, true);
  stop();
});

Deno.test("a client with accessToken has no sessions, and follows all the same", async () => {
  using page = fakePage();
  const bus = followed({}, false);
  bus.put("1");
  const end = bus.messenger.finished("1");
  await page.advance(0);
  bus.put("1", { status: "failed", reason: "exhausted" });
  await page.advance(5_000);
  assertEquals((await end).status, "failed");
  assertEquals((await bus.messenger.dispatch("Note", {})).idempotencyKey, undefined);
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("the session tells the signed-in user as long as it has listeners", async () => {
  using page = fakePage();
  const bus = followed();
  const { session } = bus.messenger;
  const users: (string | null)[] = [];
  assertEquals([session.get(), bus.listeners()], [null, 0]);
  const stops = [1, 2].map(() => session.subscribe(() => users.push(session.get())));
  await page.settle();
  bus.signIn(null);
  bus.signIn("bob");
  assertEquals(users, ["ann", "ann", null, null, "bob", "bob"]);
  for (const stop of stops) stop();
  assertEquals([session.get(), bus.listeners()], [null, 0]);
});
