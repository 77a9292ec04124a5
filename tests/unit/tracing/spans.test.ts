/** Spans of a worker in memory: without a context manager, with a broken SDK, and without one. */

import { assert, assertEquals } from "@std/assert";
import { trace, type TracerProvider } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { activeTracer } from "../../../supabase/functions/_shared/symphony/tracing/tracer.ts";
import { workbench } from "../../support/worker.ts";

/** Registers a provider while a test runs. No context manager is registered, as in a plain function. */
function withProvider(name: string, provider: TracerProvider, run: () => Promise<void>): void {
  Deno.test(name, async () => {
    trace.setGlobalTracerProvider(provider);
    try {
      await run();
    } finally {
      trace.disable();
    }
  });
}

const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
const Parent = defineMessage({
  type: "Parent",
  schema: z.unknown(),
  handler: async (_, ctx) => {
    ctx.log.info("begun");
    await ctx.step("first", () => 1);
    await ctx.dispatch(Child, {});
    await ctx.dispatchNow(Child, {});
  },
});

const exporter = new InMemorySpanExporter();
withProvider(
  "children are in their parent's trace where no context manager is registered",
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
  async () => {
    const { bus, work } = workbench([Parent, Child]);
    await bus.dispatch(Parent, {});
    await work({ budgetMs: 1_000 });
    const spans = exporter.getFinishedSpans();
    const first = spans.find(({ name }) => name === "send default");
    const processed = spans.filter(({ name }) => name === "process default");
    assertEquals(processed.length, 3);
    for (const span of processed) {
      assertEquals(span.spanContext().traceId, first?.spanContext().traceId);
    }
    const parent = processed.find(({ attributes }) =>
      attributes["symphony.message.type"] === "Parent"
    );
    const below = spans.filter(({ parentSpanContext }) =>
      parentSpanContext?.spanId === parent?.spanContext().spanId
    );
    assertEquals(below.map(({ name }) => name).sort(), [
      "create default",
      "send default",
      "step first",
    ]);
  },
);

const Family = defineMessage({
  type: "Family",
  schema: z.unknown(),
  handler: async (_, ctx) => {
    await ctx.dispatchBatch([{ definition: Child, payload: {} }], { name: "batch" });
    await ctx.all("children", [[Child, {}]]);
  },
});

const ofBatches = new InMemorySpanExporter();
withProvider(
  "members of batches are in their parent's trace where no context manager is registered",
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(ofBatches)] }),
  async () => {
    const { bus, memory, work } = workbench([Family, Child]);
    await bus.dispatch(Family, {});
    await work({ budgetMs: 1_000 });
    assertEquals(memory.handled.length, 3);
    const spans = ofBatches.getFinishedSpans();
    const first = spans.find(({ name }) => name === "send default");
    const sent = spans.filter(({ name }) => /^(send|process) /.test(name));
    assert(sent.length >= 6, sent.map(({ name }) => name).join());
    for (const span of sent) {
      assertEquals(span.spanContext().traceId, first?.spanContext().traceId);
    }
  },
);

const broken = {
  getTracer: () => ({
    startSpan: () => {
      throw new Error("broken");
    },
    startActiveSpan: () => {
      throw new Error("broken");
    },
  }),
} as TracerProvider;
withProvider("an SDK whose spans throw disturbs no message", broken, async () => {
  const { bus, work } = workbench([Parent, Child]);
  await bus.dispatch(Parent, {});
  const report = await work({ budgetMs: 1_000 });
  assertEquals([report.handled, report.failed, report.retried], [3, 0, 0]);
});

Deno.test("without an SDK there is no tracer, and no stamp", async () => {
  assertEquals(activeTracer(), undefined);
  const stamps: unknown[] = [];
  const One = defineMessage({
    type: "One",
    schema: z.unknown(),
    handler: (_, ctx) => void stamps.push(ctx.envelope.stamps),
  });
  const { bus, work } = workbench([One]);
  await bus.dispatch(One, {});
  await work({ budgetMs: 1_000 });
  assertEquals(stamps, [{}]);
  assert(!("traceContext" in (stamps[0] as object)));
});
