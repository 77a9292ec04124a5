/** Changes that handlers, hooks and middleware make to a message reach no other of them. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineOnce } from "../../../support/definitions.ts";
import { trouble } from "../../../support/trouble.ts";
import { workbench } from "../../../support/worker.ts";
import type { Handler } from "../../../../supabase/functions/_shared/symphony/index.ts";

Deno.test("each handler gets a reading of its own, and a retry the payload as it was stored", async () => {
  const seen: unknown[] = [];
  let fails = 1;
  const spoil = (name: string) => (payload: unknown) => {
    const own = payload as { to?: string; list: number[] };
    seen.push([name, structuredClone(own)]);
    delete own.to;
    own.list.push(99);
    if (name === "second" && fails-- > 0) throw new Error("again");
  };
  const { bus, work } = workbench([
    defineOnce({ first: spoil("first"), second: spoil("second"), third: spoil("third") }, {
      retry: { maxRetries: 1, delay: 0 },
    }),
  ]);
  const payload = { to: "a", list: [1] };
  await bus.dispatchAll([{ type: "T", payload }]);
  await work();
  assertEquals(seen, ["first", "second", "third", "second"].map((name) => [name, payload]));
  assertEquals(payload, { to: "a", list: [1] });
});

Deno.test("what a handler does to its user and its occurrence reaches no other handler", async () => {
  const seen: unknown[] = [];
  const spoil: Handler<unknown> = (_, { user, schedule }) => {
    seen.push(structuredClone({ user, schedule }));
    for (const stamp of [user, schedule]) {
      assertThrows(() => Object.assign(stamp ?? {}, { id: "other" }), TypeError);
    }
  };
  const { bus, work } = workbench([defineOnce({ first: spoil, second: spoil })]);
  const stamps = {
    user: { id: "u", isAnonymous: false },
    schedule: { id: "1", name: null, occurrence: "2026-01-01T00:00:00.000Z", run: 1 },
  };
  await bus.dispatchAll([{ type: "T", payload: 1, options: { stamps } }]);
  assertEquals((await work()).handled, 1);
  assertEquals(seen, [stamps, stamps]);
});

Deno.test("a single handler's changes reach neither its retry nor its hooks nor middleware", async () => {
  const seen: unknown[] = [];
  const { bus, work } = workbench([
    defineOnce((payload) => {
      seen.push(structuredClone(payload));
      delete (payload as { to?: string }).to;
      throw new Error("again");
    }, {
      retry: { maxRetries: 1, delay: 0 },
      onRetry: ({ envelope }) => void seen.push(envelope.payload),
    }),
  ], {
    middleware: [{
      handle: async ({ envelope }, next) => {
        await next().catch(() => {});
        seen.push(envelope.payload);
        throw new Error("again");
      },
    }],
  });
  await bus.dispatchAll([{ type: "T", payload: { to: "a" } }]);
  await work();
  assertEquals(seen, Array(5).fill({ to: "a" }));
});

Deno.test("a handler's changes to a default of its schema reach neither another handler nor another message", async () => {
  const seen: unknown[] = [];
  const spoil: Handler<unknown> = (payload) => {
    const { more, list, caught, at, ...rest } = payload as
      & Record<"more" | "list" | "caught" | "one" | "lazy", number[][]>
      & { at: Date };
    seen.push(structuredClone(payload));
    for (const one of [more[0], list, caught, ...Object.values(rest)]) (one as unknown[]).push(9);
    at.setTime(1);
  };
  const one: number[] = [];
  const schema = z.object({
    one: z.array(z.number()).default(() => one),
    lazy: z.lazy(() => z.array(z.number()).catch([])),
    more: z.array(z.array(z.number())).default([[]]),
    list: z.array(z.number()).default([]),
    caught: z.array(z.number()).catch([]),
    at: z.date().default(new Date(0)),
  });
  const { bus, work } = workbench([
    defineOnce({ first: spoil, second: spoil }, { schema: schema as never }),
  ]);
  await bus.dispatchAll([1, 2].map(() => ({ type: "T", payload: {} })));
  assertEquals((await work()).handled, 2);
  const fresh = { one: [], lazy: [], more: [[]], list: [], caught: [], at: new Date(0) };
  assertEquals(seen, Array(4).fill(fresh));
});

Deno.test("a lane's changes to a default of its schema reach no other message", async () => {
  const schema = z.object({ tags: z.array(z.array(z.number())).default([[]]) });
  const { bus, memory } = workbench([
    defineOnce(() => {}, {
      schema: schema as never,
      lane: ((payload: { tags: number[][] }) => `t${payload.tags[0]?.push(9)}`) as never,
    }),
  ]);
  await bus.dispatchAll([1, 2].map(() => ({ type: "T", payload: {} })));
  assertEquals(memory.messages.map(({ queue }) => queue), ["default/t1", "default/t1"]);
});

Deno.test("a schema of a promise takes a value, and is no stray error", async () => {
  const seen: unknown[] = [];
  const { bus, work } = workbench([
    defineOnce((payload) => void seen.push(payload), {
      schema: z.promise(z.number()) as never,
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  assertEquals([(await work()).handled, seen], [1, [1]]);
});

Deno.test("the function of a default that fails refuses only a message that needs it", async () => {
  const schema = z.object({
    team: z.string().default(() => {
      throw new Error("no team here");
    }),
  });
  const { bus, work } = workbench([defineOnce(() => {}, { schema: schema as never })]);
  await bus.dispatchAll([{ type: "T", payload: { team: "a" } }]);
  assertEquals((await work()).handled, 1);
  await assertRejects(() => bus.dispatchAll([{ type: "T", payload: {} }]), Error, "no team here");
});

Deno.test("an envelope cannot be changed", async () => {
  const { reason, errors } = await trouble(defineOnce((_, { envelope }) => {
    (envelope as { id: string }).id = "7";
  }));
  assertEquals([reason, errors[0]?.class], ["exhausted", "TypeError"]);
});

Deno.test("a schema's refine runs once for each parse", async () => {
  for (const isAsync of [false, true]) {
    let runs = 0;
    const refine = () => {
      runs++;
      return isAsync ? Promise.resolve(true) : true;
    };
    const { bus, work } = workbench([
      defineOnce(() => {}, { schema: z.unknown().refine(refine) as never }),
    ]);
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    assertEquals(runs, 1);
    await work();
    assertEquals(runs, 2);
  }
});

Deno.test("a hook that changes what it is told changes no stored history", async () => {
  const { bus, memory, work } = workbench([
    defineOnce(() => {
      throw new Error("as it was");
    }, {
      onDeadLetter: ({ errors }) => void Object.assign(errors[0] ?? {}, { message: "changed" }),
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  await work();
  assertEquals(memory.failed[0]?.envelope.errors.map(({ message }) => message), ["as it was"]);
});
