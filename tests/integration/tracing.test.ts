/**
 * One message's way as a trace: from a browser's request over SQL to handlers, steps and children, also over a retry,
 * a crash and a redrive. The SDK, with its exporter in memory, is registered in the process of this test.
 */

import { assert, assertEquals } from "@std/assert";
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  type HandlerContext,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const BROWSER = "b7ad6b7169203331";
const traceparent = `00-${TRACE}-${BROWSER}-01`;

const exporter = new InMemorySpanExporter();

/** Registers the SDK while a test runs. */
async function traced(run: () => Promise<void>): Promise<void> {
  exporter.reset();
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  try {
    await run();
  } finally {
    trace.disable();
    context.disable();
  }
}

type Handle = (payload: unknown, ctx: HandlerContext) => Promise<void>;

/** A messenger in this process, whose handlers of `Order` are the test's. */
function messengerOn(stack: TestStack, handle: Handle) {
  const lines: Record<string, unknown>[] = [];
  const retry = { maxRetries: 2, delay: 0 };
  const Order = defineMessage({ type: "Order", schema: z.unknown(), retry, handler: handle });
  const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
  const messenger = createMessenger({
    supabase: createClient(stack.url, stack.secretKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    }),
    messages: [Order, Child],
    config: readConfig(() => undefined),
    log: createLogger({ write: (_, line) => lines.push(JSON.parse(line)) }),
  });
  return { ...messenger, ...createWorker(messenger), Order, Child, lines };
}

const spans = (name: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => span.name === name);

function only(name: string): ReadableSpan {
  const found = spans(name);
  assertEquals(found.length, 1, `${found.length} spans are called ${name}`);
  return found[0] as ReadableSpan;
}

const idsOf = (span: ReadableSpan) => {
  const { traceId, spanId } = span.spanContext();
  return { traceId, spanId };
};

testsOnStack({}, (test) => {
  test("a row that a browser inserts, the trigger's message, its steps and its child are one trace", (stack) =>
    traced(async () => {
      await stack.sql`create table if not exists public.orders (id integer)`;
      await stack.sql`grant all on public.orders to service_role`;
      await stack
        .sql`create or replace function public.on_order() returns trigger language plpgsql as $$
        begin perform public.messenger_dispatch('Order'); return null; end $$`;
      await stack.sql`create or replace trigger on_order after insert on public.orders
        for each row execute function public.on_order()`;
      await stack.sql`notify pgrst, 'reload schema'`;
      // PostgREST knows the table a moment later.
      const insert = async () => {
        const response = await fetch(`${stack.url}/rest/v1/orders`, {
          method: "POST",
          headers: { apikey: stack.secretKey, "content-type": "application/json", traceparent },
          body: '{"id":1}',
        });
        await response.body?.cancel();
        return response.status;
      };
      await eventually(insert, (status) => status === 201);
      const t = messengerOn(stack, async (_, ctx) => {
        ctx.log.info("begun");
        await ctx.step("charge", () => 1);
        await ctx.step("book", () => 2);
        await ctx.dispatch(t.Child, {});
      });
      await t.work({ budgetMs: 5_000 });
      await t.work({ budgetMs: 5_000 });

      const [order, child] = spans("process default") as [ReadableSpan, ReadableSpan];
      assertEquals(order.parentSpanContext?.spanId, BROWSER);
      assertEquals(order.kind, SpanKind.CONSUMER);
      const own = idsOf(order);
      assertEquals(own.traceId, TRACE);
      for (const step of ["step charge", "step book"]) {
        assertEquals(only(step).parentSpanContext?.spanId, own.spanId);
      }
      const created = only("create default");
      assertEquals([created.parentSpanContext?.spanId, created.kind], [
        own.spanId,
        SpanKind.PRODUCER,
      ]);
      assertEquals(child.parentSpanContext?.spanId, idsOf(created).spanId);
      assertEquals(idsOf(child).traceId, TRACE);
      const line = t.lines.find(({ event }) => event === "begun");
      assertEquals([line?.trace_id, line?.span_id], [TRACE, own.spanId]);
      const settled = spans("settle default").flatMap(({ links }) => links);
      assert(settled.some(({ context }) => context.spanId === BROWSER));
      assertEquals(order.attributes["messaging.system"], "symphony_messenger");
      assertEquals(order.attributes["messaging.operation.type"], "process");
      assertEquals(order.attributes["messaging.destination.name"], "default");
      assertEquals(order.attributes["symphony.outcome"], "handled");
    }));

  test("a dispatch in code is a span, whose child is the attempt, and the active span is its parent", (stack) =>
    traced(async () => {
      const t = messengerOn(stack, async () => {});
      const tracer = trace.getTracer("test");
      await tracer.startActiveSpan("request", async (span) => {
        await t.bus.dispatchAll([{ type: "Order", payload: 1 }, { type: "Order", payload: 2 }]);
        span.end();
      });
      await t.work({ budgetMs: 5_000 });
      const sent = only("send default");
      assertEquals(sent.parentSpanContext?.spanId, idsOf(only("request")).spanId);
      assertEquals(sent.attributes["messaging.batch.message_count"], 2);
      const parents = spans("process default").map(({ parentSpanContext }) =>
        parentSpanContext?.spanId
      );
      assertEquals(parents, [idsOf(sent).spanId, idsOf(sent).spanId]);
      const claimed = spans("claim default").flatMap(({ links }) => links);
      assertEquals(claimed.length, 2);
    }));

  test("each attempt of a retry, a crash and a redrive is a child of the dispatch", (stack) =>
    traced(async () => {
      const t = messengerOn(stack, () => Promise.reject(new TypeError("no route")));
      const id = await t.bus.dispatch(t.Order, {});
      // A worker that dies leaves a lease that ends, which the next one finds.
      await t.transport.claim({ token: crypto.randomUUID(), maxMessages: 1, leaseMs: 60_000 });
      await stack
        .sql`update public.messenger_messages set leased_until = now() - interval '1 minute'`;
      await stack.sql`update messenger.leases set leased_until = now() - interval '1 minute'`;
      await eventually(
        async () => {
          await t.work({ budgetMs: 1_000 });
          return await stack.sql`select reason from public.messenger_failed_messages`;
        },
        (dead) => dead.length === 1,
      );
      await stack.sql`select public.messenger_redrive(ids => ${[id]}::bigint[])`;
      await t.work({ budgetMs: 5_000 });

      const sent = only("send default");
      const attempts = spans("process default");
      assertEquals(attempts.map(({ attributes }) => attributes["symphony.attempt"]), [
        2,
        3,
        4,
        1,
        2,
        3,
      ]);
      for (const attempt of attempts) {
        assertEquals(attempt.parentSpanContext?.spanId, idsOf(sent).spanId);
        assertEquals(attempt.attributes["messaging.message.id"], id);
        assertEquals(attempt.status.code, SpanStatusCode.ERROR);
        assertEquals(attempt.attributes["error.type"], "TypeError");
      }
      const outcomes = attempts.map(({ attributes }) => attributes["symphony.outcome"]);
      assertEquals(outcomes, ["retry", "retry", "dead", "retry", "retry", "dead"]);
      assertEquals(attempts.at(-1)?.attributes["symphony.redriven"], 1);
    }));

  test("a request's traceparent goes with its message, also without an SDK; a wrong one does not", async (stack) => {
    const dispatch = async (headers: Record<string, string>) => {
      const response = await fetch(`${stack.url}/functions/v1/dispatch`, {
        method: "POST",
        headers: { apikey: stack.secretKey, "content-type": "application/json", ...headers },
        body: '{"type":"Note","payload":{"text":"later"},"delay":"1h"}',
      });
      const { ids: [id] } = await response.json();
      const [row] = await stack.sql`select stamps from public.messenger_messages where id = ${id}`;
      return row?.stamps?.traceContext ?? null;
    };
    assertEquals(await dispatch({ traceparent, tracestate: "a=1" }), {
      traceparent,
      tracestate: "a=1",
    });
    assertEquals(await dispatch({ traceparent: "00-0-0-00" }), null);
    assertEquals(await dispatch({}), null);
  });
});
