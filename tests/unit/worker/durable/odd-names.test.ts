/** Durable calls with names that every object has, and with names that no database can hold. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type HandlerContext,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../../supabase/functions/_shared/symphony/testing.ts";

const schema = z.unknown();

for (const name of ["constructor", "toString", "__proto__"]) {
  Deno.test(`a handler and a type called ${name} dispatch each message once over sleeps`, async () => {
    const children: unknown[] = [];
    const child = defineMessage({ type: name, schema, handler: (n) => void children.push(n) });
    const parent = defineMessage({
      type: "Parent",
      schema,
      handler: {
        [name]: async (_, ctx) => {
          await ctx.dispatch(child, 1);
          await ctx.sleep("1m");
          await ctx.dispatch(child, 2);
          await ctx.sleep("1m");
        },
      },
    });
    const t = createTestMessenger({ messages: [parent, child] });
    await t.dispatch(parent, {});
    for (let run = 0; run < 3; run++) {
      await t.drain();
      await t.advance("1m");
    }
    assertEquals(children, [1, 2]);
    assertEquals(t.handled().length, 3);
  });

  Deno.test(`a wait for the event ${name} takes each of its events once`, async () => {
    const taken: unknown[] = [];
    const waiting = defineMessage({
      type: "Waiting",
      schema,
      handler: async (_, ctx) => {
        await ctx.waitFor(name);
        taken.push((await ctx.waitFor(name))?.value);
      },
    });
    const t = createTestMessenger({ messages: [waiting] });
    await t.dispatch(waiting, {});
    for (const value of [1, 2]) {
      await t.drain();
      await t.emit(name, value);
    }
    await t.drain();
    assertEquals(taken, [2]);
  });
}

/** Runs a handler that is wrong, and returns its error and how often it ran. */
async function errorOf(
  call: (ctx: HandlerContext, child: typeof Child) => Promise<unknown>,
): Promise<{ readonly error: string; readonly dispatched: number }> {
  const wrong = defineMessage({
    type: "Wrong",
    schema,
    retry: { maxRetries: 0 },
    handler: async (_, ctx) => void await call(ctx, Child),
  });
  const t = createTestMessenger({ messages: [wrong, Child] });
  await t.dispatch(wrong, {});
  await t.drain();
  return { error: t.failed()[0]?.error ?? "", dispatched: t.handled().length };
}

const Child = defineMessage({ type: "Child", schema, handler: () => {} });

Deno.test("ctx.all refuses a name or a key that cannot be stored before it dispatches a child", async () => {
  for (const text of ["", "a\u0000", "\ud800", "x".repeat(256), 5, {}, null, Symbol("x")]) {
    const named = await errorOf((ctx, child) => ctx.all(text as string, [[child, 1]]));
    assertStringIncludes(named.error, "ctx.all: name: has to be 1 to 255 characters");
    const keyed = await errorOf((ctx, child) =>
      ctx.all("kids", [[child, 1]], { key: text as string })
    );
    assertStringIncludes(keyed.error, 'ctx.all "kids": key: has to be 1 to 255 characters');
    assertEquals(named.dispatched + keyed.dispatched, 0);
  }
});

Deno.test("ctx.all names the child that is not [definition, payload]", async () => {
  for (const children of [[Child, 1], [null], [[]], [["Child", 1]], [{ type: "Child" }]]) {
    const { error } = await errorOf((ctx) => ctx.all("kids", children as never));
    assertStringIncludes(error, 'ctx.all "kids": child 1: has to be [definition, payload]');
  }
});

Deno.test("ctx.waitFor names the event or the schema that is none", async () => {
  for (const event of [5, {}, Symbol("x")]) {
    const { error } = await errorOf((ctx) => ctx.waitFor(event as never));
    assertStringIncludes(error, "ctx.waitFor: event: has to be");
  }
  const { error } = await errorOf((ctx) => ctx.waitFor("e", { schema: null as never }));
  assertStringIncludes(error, "ctx.waitFor: schema: has to be a zod schema");
});
