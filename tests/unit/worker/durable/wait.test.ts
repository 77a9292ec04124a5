/** Waits for events: what is taken, what is passed over, and what a timeout leaves. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  ConflictError,
  defineEvent,
  defineMessage,
  DurableUsageError,
  type EventDefinition,
  type HandlerContext,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

const START = new Date("2026-01-01T00:00:00Z");

/** A message that notes what its handler returns, and its messenger. */
function waiter(
  handler: (ctx: HandlerContext) => unknown,
  { events, ...more }: { events?: EventDefinition[]; [option: string]: unknown } = {},
) {
  const notes: unknown[] = [];
  const Waiter = defineMessage({
    type: "Waiter",
    schema: z.object({}),
    handler: async (_payload, ctx) => void notes.push(await handler(ctx)),
    ...more,
  });
  const t = createTestMessenger({
    messages: [Waiter],
    now: START,
    ...(events && { events }),
  });
  const start = async () => {
    const id = await t.dispatch(Waiter, {});
    await t.drain();
    return id;
  };
  const emit = async (event: string, value?: unknown) => {
    await t.emit(event, value);
    await t.drain();
  };
  return { t, notes, start, emit };
}

Deno.test("a message waits for an event, and no attempt is charged", async () => {
  const { t, notes, start, emit } = waiter(async (ctx) => [
    await ctx.waitFor("approved:42"),
    ctx.attempt,
  ]);
  await start();
  assertEquals(notes, []);
  await emit("approved:43", "another's");
  assertEquals(notes, []);
  await emit("approved:42", { ok: true });
  assertEquals(notes, [[{ key: "approved:42", value: { ok: true } }, 1]]);
  assertEquals(t.handled().length, 1);
});

Deno.test("a handler's changes to a default of a wait's or an event's schema reach no other message", async () => {
  const schema = z.object({ tags: z.array(z.array(z.number())).default([[]]) });
  const declared = [defineEvent({ name: "x", schema })];
  for (const [events, options] of [[declared, {}], [[], { schema }]] as const) {
    const { notes, start, emit } = waiter(async (ctx) => {
      const taken = await ctx.waitFor("x", options);
      const { tags } = taken?.value as z.output<typeof schema>;
      const note = structuredClone(tags);
      tags[0]?.push(9);
      return note;
    }, { events: [...events] });
    await start();
    await start();
    await emit("x", {});
    assertEquals(notes, [[[]], [[]]]);
  }
});

Deno.test("an event's value is stored and parsed as it came, whatever its schema's functions change in it", async () => {
  const schema = z.unknown().transform((value) => {
    (value as number[]).push(9);
    return value;
  });
  const { t, notes, start, emit } = waiter(async (ctx) => {
    const first = await ctx.waitFor("x", { schema });
    await ctx.sleep("1m");
    return first?.value;
  }, { events: [defineEvent({ name: "x", schema: z.unknown() })] });
  await start();
  await emit("x", [1]);
  await t.advance("1m");
  await t.drain();
  assertEquals(notes, [[1, 9]]);
});

Deno.test("a wait whose schema fails looks at the event again after a retry's delay", async () => {
  let fails = 1;
  const schema = z.number().refine(async (value) => {
    await Promise.resolve();
    if (fails-- > 0) throw new Error("the database is away");
    return value > 0;
  });
  const { t, notes, start, emit } = waiter((ctx) => ctx.waitFor("x", { schema }), {
    retry: { maxRetries: 1, delay: "1s" },
  });
  await start();
  await emit("x", 1);
  assertEquals(notes, []);
  await t.advance("2s");
  await t.drain();
  assertEquals(notes, [{ key: "x", value: 1 }]);
});

Deno.test("a wait whose schema never settles ends with its attempt", async () => {
  const schema = z.number().refine(() => new Promise<boolean>(() => {}));
  const { t, start, emit } = waiter((ctx) => ctx.waitFor("x", { schema }), {
    ...{ timeout: "50ms", stopGrace: 0, retry: { maxRetries: 0 } },
  });
  await start();
  await emit("x", 1);
  assertEquals(t.failed().map(({ reason }) => reason), ["exhausted"]);
});

Deno.test("each message that waits gets the event", async () => {
  const { notes, start, emit } = waiter((ctx) => ctx.waitFor("x"));
  await start();
  await start();
  await emit("x", 1);
  assertEquals(notes, [{ key: "x", value: 1 }, { key: "x", value: 1 }]);
});

Deno.test("an event that came since the dispatch is taken at once, an earlier one only if the wait says so", async () => {
  const narrow = waiter((ctx) => ctx.waitFor("x", { timeout: "1h" }));
  await narrow.t.emit("x", "before");
  await narrow.t.advance("1m");
  await narrow.start();
  assertEquals(narrow.notes, []);

  const wide = waiter((ctx) => ctx.waitFor("x", { since: "1h" }));
  await wide.t.emit("x", "before");
  await wide.t.advance("1m");
  await wide.start();
  assertEquals(wide.notes, [{ key: "x", value: "before" }]);

  const late = waiter((ctx) => ctx.waitFor("x", { since: new Date("2026-02-01") }));
  await late.start();
  await late.emit("x", "since the dispatch");
  assertEquals(late.notes, [{ key: "x", value: "since the dispatch" }]);
});

Deno.test("waits in a loop take the events of a key one after the other", async () => {
  const taken: unknown[] = [];
  const { t, start, emit } = waiter(async (ctx) => {
    for (let n = 0; n < 3; n++) taken[n] = (await ctx.waitFor("x"))?.value;
  });
  await start();
  await t.emit("x", "e1");
  await emit("x", "e2");
  assertEquals(taken, ["e1", "e2"]);
  await emit("x", "e3");
  assertEquals([taken, t.handled().length], [["e1", "e2", "e3"], 1]);
});

Deno.test("events that do not fit the schema are passed over, and the wait continues", async () => {
  const { notes, start, emit } = waiter((ctx) =>
    ctx.waitFor("x", { schema: z.object({ n: z.number().min(3) }) })
  );
  await start();
  await emit("x", { n: "text" });
  await emit("x", { n: 2 });
  assertEquals(notes, []);
  await emit("x", { n: 3 });
  assertEquals(notes, [{ key: "x", value: { n: 3 } }]);
});

Deno.test("what one wait passed over is there for the next one only if no later event was taken", async () => {
  const small = z.number().max(9);
  const taken: unknown[] = [];
  const { t, start } = waiter(async (ctx) => {
    taken[0] = await ctx.waitFor("x", { schema: z.number().min(100), timeout: "1m" });
    taken[1] = await ctx.waitFor("x", { schema: small });
    taken[2] = await ctx.waitFor("x", { schema: small, timeout: "1m" });
  });
  await start();
  for (const n of [50, 7]) await t.emit("x", n);
  await t.drain();
  await t.advance("1m");
  await t.drain();
  await t.advance("1m");
  await t.drain();
  assertEquals(taken, [null, { key: "x", value: 7 }, null]);
});

Deno.test("the value is what the schema returns, in every run", async () => {
  const schema = z.object({ at: z.string().transform((text) => new Date(text)) });
  const seen: unknown[] = [];
  const { start, emit } = waiter(async (ctx) => {
    const event = await ctx.waitFor("x", { schema });
    seen.push(event?.value.at);
    await ctx.sleep(ctx.attempt === 1 && seen.length === 1 ? "1ms" : 0);
  });
  await start();
  await emit("x", { at: "2026-01-01T00:00:00Z" });
  assertEquals(seen, [START]);
});

Deno.test("a declared event is read by its schema", async () => {
  const Approved = defineEvent({ name: "approved", schema: z.object({ ok: z.boolean() }) });
  const { notes, start, t } = waiter((ctx) => ctx.waitFor("approved:42"), { events: [Approved] });
  await start();
  await t.emit("approved:42", { ok: true, more: 1 });
  await t.drain();
  assertEquals(notes, [{ key: "approved:42", value: { ok: true } }]);
});

Deno.test("the first event of several keys is taken, and each key continues by itself", async () => {
  const taken: unknown[] = [];
  const { t, start } = waiter(async (ctx) => {
    taken[0] = await ctx.waitFor(["x", "y"]);
    taken[1] = await ctx.waitFor("x");
    taken[2] = await ctx.waitFor("y");
  });
  await start();
  for (const [event, value] of [["y", 1], ["x", 2], ["y", 3]] as const) await t.emit(event, value);
  await t.drain();
  assertEquals(taken, [{ key: "y", value: 1 }, { key: "x", value: 2 }, { key: "y", value: 3 }]);
});

Deno.test("a timeout stays a timeout, whatever comes later", async () => {
  const results: unknown[] = [];
  const { t, start } = waiter(async (ctx) => {
    results.push(await ctx.waitFor("x", { timeout: "7d" }));
    if (ctx.attempt < 3) throw new Error("later");
  }, { retry: { delay: 1_000 } });
  await start();
  await t.advance("6d");
  await t.drain();
  assertEquals(results, []);
  await t.advance("1d");
  await t.drain();
  await t.emit("x", "late");
  await t.advance("1h");
  await t.drain();
  await t.advance("1h");
  await t.drain();
  assertEquals(results, [null, null, null]);
});

Deno.test("an event that was taken is the same in a later run", async () => {
  const results: unknown[] = [];
  const { t, start, emit } = waiter(async (ctx) => {
    results.push((await ctx.waitFor("x"))?.value);
    if (ctx.attempt === 1) throw new Error("later");
  }, { retry: { delay: 1_000 } });
  await start();
  await emit("x", "first");
  await emit("x", "second");
  await t.advance("1m");
  await t.drain();
  assertEquals(results, ["first", "first"]);
});

Deno.test("a wait is 30 days by default, and one of no time only looks", async () => {
  const { t, start } = waiter((ctx) => ctx.waitFor("x"));
  await start();
  assertEquals(t.pending().map(({ availableAt }) => availableAt), [
    new Date(START.getTime() + 30 * 86_400_000),
  ]);
  const look = waiter((ctx) => ctx.waitFor("x", { timeout: 0 }));
  await look.start();
  assertEquals(look.notes, [null]);
});

Deno.test("an event wakes no message out of a sleep or a retry's delay", async () => {
  const { t, start, emit } = waiter(async (ctx) => {
    await ctx.waitFor("x");
    await ctx.sleep("1h");
  });
  await start();
  await emit("x");
  const due = () => t.pending().map(({ availableAt }) => availableAt.getTime() - START.getTime());
  assertEquals(due(), [3_600_000]);
  await emit("x");
  assertEquals(due(), [3_600_000]);

  const failing = waiter(async (ctx) => {
    await ctx.waitFor("x");
    throw new Error("no luck");
  }, { retry: { delay: 3_600_000, maxDelay: 3_600_000 } });
  await failing.start();
  await failing.emit("x");
  await failing.emit("x");
  assertEquals(failing.t.pending().map(({ retryCount }) => retryCount), [1]);
});

Deno.test("a second wait is refused while one is pending", async () => {
  const { start, t } = waiter(async (ctx) => {
    await Promise.all([ctx.waitFor("x"), ctx.waitFor("y")]);
  });
  await start();
  assertEquals(t.failed().map(({ error }) => error?.includes("cannot begin while")), [true]);
});

// deno-lint-ignore no-explicit-any
const wrong: [what: string, event: any, options: any, text: string][] = [
  ["no key", [], {}, "ctx.waitFor: event: has to be a key, or 1 to 10 keys"],
  ["eleven keys", Array.from({ length: 11 }, (_, n) => `k${n}`), {}, "1 to 10 keys"],
  ["an empty key", "", {}, "ctx.waitFor: event: has to be 1 to 255 characters"],
  ["a key of the bus", "messenger.batch:1", {}, "may not begin with messenger."],
  ["more than 400 days", "x", { timeout: "401d" }, "ctx.waitFor: timeout: has to be at most 400"],
  ["a schema that is none", "x", { schema: {} }, "ctx.waitFor: schema: has to be a zod schema"],
  ["a misspelled option", "x", { timeOut: 1 }, "did you mean timeout?"],
];
for (const [what, event, options, text] of wrong) {
  Deno.test(`a wait with ${what} is refused`, async () => {
    const { start, notes } = waiter((ctx) =>
      ctx.waitFor(event, options).catch((error) => String(error))
    );
    await start();
    assertEquals([what, String(notes[0]).includes(text)], [what, true]);
  });
}

Deno.test("a wait inside a step is refused", async () => {
  const { start, notes } = waiter(async (ctx) => {
    const error = await ctx.step("outer", async () => {
      await ctx.waitFor("x").catch((error) => notes.push(error instanceof DurableUsageError));
      return null;
    });
    return error;
  });
  await start();
  assertEquals(notes, [true, null]);
});

Deno.test("a token that a handler made emits its event once", async () => {
  let token = "";
  const { t, notes, start } = waiter(async (ctx) => {
    token ||= ctx.token("approved:42", { expires: "7d" });
    return await ctx.waitFor("approved:42");
  });
  await start();
  await t.redeem(token, { ok: true });
  await t.drain();
  assertEquals(notes, [{ key: "approved:42", value: { ok: true } }]);
  await assertRejects(() => t.redeem(token), ConflictError, "token: was used already");
  await assertRejects(() => t.redeem(`${token}x`), RangeError, "token: is forged");
  await t.advance("7d");
  await assertRejects(() => t.redeem(token), RangeError, "token: has expired");
});
