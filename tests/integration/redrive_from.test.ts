/** A redrive from a step makes the batches of that step and of later ones again, whatever became of those of before. */

import { assertEquals } from "@std/assert";
import {
  defineMessage,
  ExponentialBackoffRetryStrategy,
  type MessageDefinition,
  RetryManager,
  type Transport,
  UnrecoverableError,
  z,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { ProcessLock } from "../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";
import { runWorker } from "../../supabase/functions/_shared/symphony/worker/worker.ts";
import { overriding } from "../support/changed_transport.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

/** A bus, and a worker that runs until nothing is due. */
function benchOf(stack: TestStack, messages: readonly MessageDefinition[]) {
  const log = createLogger({ level: "silent" });
  const registry = createRegistry(messages);
  const home = new SupabaseTransport(stack.client);
  const bus = new MessageBus({ registry, transport: home });
  const work = (transport: Transport = home) => {
    const strategy = new ExponentialBackoffRetryStrategy({ maxRetries: 0 });
    const retry = new RetryManager({ strategy, transport, registry, log });
    return runWorker({
      ...{ transport, bus: new MessageBus({ registry, transport }), retry, log },
      ...{ supabase: stack.client, lock: new ProcessLock() },
      ...{ batchSize: 50, concurrency: 5, leaseMs: 60_000, budgetMs: 5_000 },
    });
  };
  return { bus, home, work };
}

/** Redrives a message from a step, with a payload if one is given. */
async function redriveFrom(
  { sql }: Pick<TestStack, "sql">,
  id: string,
  from: string,
  payload?: number,
) {
  const edited = payload === undefined ? null : sql.json(payload);
  const [row] = await sql<{ done: number }[]>`
    select (public.messenger_redrive(array[${id}]::bigint[], "from" => ${from}, payload => ${edited})
      ->> 'done')::integer as done`;
  assertEquals(row?.done, 1);
}

const Twice = defineMessage({
  type: "Twice",
  schema: z.number(),
  keep: { for: "1d", result: true },
  result: z.number(),
  handler: (n) => {
    if (n < 0) throw new UnrecoverableError("too small");
    return n * 2;
  },
});

testsOnStack({}, (test) => {
  test("children are dispatched again by a redrive while their batch is being counted", async (stack) => {
    const seen: unknown[] = [];
    const Parent = defineMessage({
      type: "Parent",
      schema: z.number(),
      handler: async (n, ctx) => void seen.push(await ctx.all("twice", [[Twice, n]])),
    });
    const { bus, work } = benchOf(stack, [Parent, Twice]);
    const id = await bus.dispatch(Parent, -1);
    await work();
    await work();
    await stack.sql.begin(async (sql) => {
      await sql`select from public.messenger_batches for update`;
      await redriveFrom(stack, id, "twice", 4);
    });
    await work();
    await work();
    assertEquals(seen, [[8]]);
  });

  test("children are dispatched again by a redrive of a parent that had not yet waited for them", async (stack) => {
    const seen: unknown[] = [];
    const Parent = defineMessage({
      type: "Parent",
      schema: z.number(),
      handler: async (n, ctx) => {
        await ctx.step("first", () => 1);
        seen.push(await ctx.all("twice", [[Twice, n]]));
      },
    });
    const { bus, home, work } = benchOf(stack, [Parent, Twice]);
    const id = await bus.dispatch(Parent, 1);
    const batchResults = () => Promise.reject(new UnrecoverableError("no luck"));
    await work(overriding(home, { batchResults }));
    await redriveFrom(stack, id, "first", 4);
    await work();
    await work();
    assertEquals(seen, [[8]]);
  });

  test("a batch is dispatched again by a redrive from its step, also with another payload", async (stack) => {
    const ids: string[] = [];
    const Parent = defineMessage({
      type: "Parent",
      schema: z.number(),
      handler: async (n, ctx) => {
        const members = Array.from({ length: n }, (_, i) => ({ type: "Twice", payload: i }));
        ids.push(await ctx.dispatchBatch(members, { name: "import" }));
        if (n < 4) throw new Error("too few");
      },
    });
    const { bus, work } = benchOf(stack, [Parent, Twice]);
    const id = await bus.dispatch(Parent, 2);
    await work();
    await redriveFrom(stack, id, "import", 3);
    await work();
    await redriveFrom(stack, id, "import");
    await work();
    await redriveFrom(stack, id, "start", 4);
    await work();
    const totals = await stack.sql`select total from public.messenger_batches order by id`;
    assertEquals(totals.map(({ total }) => Number(total)), [2, 3, 3, 4]);
    assertEquals(new Set(ids).size, 4);
  });

  test("a batch or children whose step was interrupted are continued by a redrive from an earlier step", async (stack) => {
    const seen: unknown[] = [];
    let isCut = true;
    const Parent = defineMessage({
      type: "Parent",
      schema: z.enum(["batch", "children"]),
      handler: async (kind, ctx) => {
        await ctx.step("first", () => 1);
        if (kind === "children") seen.push(await ctx.all("twice", [[Twice, 1]]));
        else await ctx.dispatchBatch([{ type: "Twice", payload: 1 }], { name: "import" });
        isCut = false;
      },
    });
    const { bus, home, work } = benchOf(stack, [Parent, Twice]);
    for (const kind of ["batch", "children"] as const) {
      isCut = true;
      const id = await bus.dispatch(Parent, kind);
      const cut = () => Promise.reject(new Error("the worker is cut off"));
      // Nothing behind the first step is stored: neither a result nor a failure, nor the wait for the children.
      await work(overriding(home, {
        saveSteps: (saves) =>
          saves.some(({ steps }) => steps.some(({ name }) => name !== "first"))
            ? cut()
            : home.saveSteps(saves),
        batchResults: cut,
      }));
      assertEquals(isCut, true);
      await redriveFrom(stack, id, "first");
      await work();
      await work();
      assertEquals(isCut, false);
      const batches = await stack.sql`select total from public.messenger_batches`;
      assertEquals(batches.map(({ total }) => Number(total)), [1], kind);
      await stack.sql`delete from public.messenger_batches where true`;
    }
    assertEquals(seen, [[2]]);
  });

  test("a batch whose failure was caught is continued by a redrive from a later step", async (stack) => {
    const ids: string[] = [];
    let isWhole = false;
    function* members() {
      for (let n = 1; n <= 1_200; n++) yield { type: "Twice", payload: n };
      if (!isWhole) throw new UnrecoverableError("the file ends early");
      for (let n = 1_201; n <= 1_500; n++) yield { type: "Twice", payload: n };
    }
    let isOver = false;
    const Parent = defineMessage({
      type: "Parent",
      schema: z.number(),
      handler: async (_n, ctx) => {
        const onFinished = { type: "Note", payload: 1 };
        const batch = ctx.dispatchBatch(members(), { name: "import", onFinished });
        await batch.then((id) => ids.push(id), () => {});
        await ctx.step("later", () => 1);
        if (!isOver) throw new UnrecoverableError("no luck");
      },
    });
    const notes: unknown[] = [];
    const Note = defineMessage({
      type: "Note",
      schema: z.number(),
      handler: (_n, { envelope }) => void notes.push(envelope.stamps.ofBatch?.total),
    });
    const { bus, work } = benchOf(stack, [Parent, Twice, Note]);
    const id = await bus.dispatch(Parent, 1);
    await work();
    // The failure repeats itself, and its batch is known to the redrive after that, from no step.
    await redriveFrom(stack, id, "later");
    await work();
    [isWhole, isOver] = [true, true];
    await stack.sql`select public.messenger_redrive(array[${id}]::bigint[])`;
    await work();
    await work();
    const totals = await stack.sql`select total, sealed_at from public.messenger_batches`;
    assertEquals(totals.map(({ total, sealed_at }) => [Number(total), sealed_at !== null]), [
      [1_500, true],
    ]);
    assertEquals([ids.length, notes], [1, [1_500]]);
  });
});
