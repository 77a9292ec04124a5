/** Responses that are not the bus's, sessions that do not come, and arguments that no compiler lets through. */

import { assertEquals } from "@std/assert";
import {
  type AnyMessages,
  createDispatcher,
  createMessengerClient,
  type Dispatching,
  isMessengerError,
} from "../../../client/mod.ts";
import { toMessengerError } from "../../../client/errors.ts";
import { fakePage } from "../../support/fake_page.ts";
import { fakeSupabase } from "../../support/fake_supabase.ts";
import { followed } from "../../support/followed.ts";

/** The code of the MessengerError that an action throws; else what it throws. */
const codeOf = async (act: () => Promise<unknown>) => {
  try {
    return await act();
  } catch (error) {
    return isMessengerError(error) ? error.code : error;
  }
};

for (const answer of [{}, [], { error: "log in first" }, new Blob(["x"])]) {
  Deno.test(`a success with ${Deno.inspect(answer)} is no answer of the bus`, async () => {
    const { supabase } = fakeSupabase(() => answer, "ann");
    const { schedules, ...bus } = createMessengerClient(supabase, { live: false, retries: 0 });
    const hourly = { type: "interval", config: { interval: "1h" } } as const;
    for (
      const act of [
        () => bus.dispatch("Note", {}),
        () => bus.status("1"),
        () => bus.list(),
        () => bus.cancel("1"),
        () => schedules.create("Note", {}, hourly),
        () => schedules.list(),
        () => schedules.get("1"),
        () => schedules.update("1", { enabled: false }),
        () => schedules.delete("1"),
      ]
    ) assertEquals(await codeOf(act), "unavailable", act.toString());
  });
}

Deno.test("a refusal whose parts are null has a message and no issues", async () => {
  const body = JSON.stringify({ code: null, message: null, issues: null });
  const failure = Object.assign(new Error("refused"), {
    context: new Response(body, { status: 400 }),
  });
  const error = await toMessengerError(failure);
  assertEquals([error.message, error.detail, error.issues], ["HTTP 400", "http_400", []]);
});

Deno.test("an abort ends a dispatch that waits for the session", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"] }), "ann");
  const auth = { ...supabase.auth, getSession: () => new Promise<never>(() => {}) };
  const slow = { ...supabase, auth };
  for (
    const { dispatch } of [
      createDispatcher(slow),
      createMessengerClient<AnyMessages>(slow),
    ] as Dispatching<AnyMessages>[]
  ) {
    const caller = new AbortController();
    const end = codeOf(() => dispatch("Note", {}, { signal: caller.signal }));
    caller.abort("the caller's reason");
    assertEquals([await end, requests.length], ["the caller's reason", 0]);
  }
});

Deno.test("an observer outlasts refused tokens while its user stays signed in", async () => {
  using page = fakePage();
  const bus = followed();
  bus.put("1");
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  bus.failure = { status: 401, body: { code: "unauthorized" } };
  await page.advance(60_000);
  assertEquals(observer.get().connection, "signed_out");
  bus.failure = undefined;
  await page.advance(30_000);
  assertEquals([observer.get().connection, observer.get().message?.status], ["polling", "pending"]);
  stop();
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("ids that would be another path, or no text, are refused before a request", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ id: "1" }), "ann");
  const { cancel, schedules } = createMessengerClient(supabase, { live: false });
  for (const id of ["", ".", "..", "1/2", "1?all=true", "\ud800", "١"]) {
    assertEquals(await codeOf(() => cancel(id)), "invalid", id);
    assertEquals(await codeOf(() => schedules.get(id)), "invalid", id);
  }
  assertEquals(requests.length, 0);
});

Deno.test("no option takes the place of the type or the payload, and no type is a request that is refused", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"] }), "ann");
  const { dispatch } = createDispatcher(supabase, { idempotencyKeys: false });
  const options = { type: "Other", payload: { other: true } };
  await dispatch("Note", { text: "x" }, options as object);
  await dispatch(undefined as unknown as string, {});
  assertEquals(requests.map(({ body }) => body), [
    { type: "Note", payload: { text: "x" } },
    { payload: {} },
  ]);
});

Deno.test("an id that is given twice is asked for once, also beyond one request", async () => {
  const bus = followed();
  for (let id = 0; id < 90; id++) bus.put(String(id));
  const ids = Array.from({ length: 150 }, (_, n) => String(n % 90));
  const { messages } = await bus.messenger.statuses(ids);
  assertEquals([messages.length, bus.looks().map((look) => look.length)], [90, [90]]);
});
