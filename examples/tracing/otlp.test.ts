/** The example that exports OTLP, against a receiver on this machine. */

import { assert, assertEquals } from "@std/assert";
import { context, trace } from "@opentelemetry/api";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { startTracing } from "./otlp.ts";
import { Order, Receipt } from "./messages.ts";

interface Span {
  readonly name: string;
  readonly traceId: string;
}

Deno.test("a message's spans reach the receiver, all in one trace", async () => {
  const spans: Span[] = [];
  const services = new Set<string>();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const { resourceSpans } = await request.json();
      for (const { resource, scopeSpans } of resourceSpans) {
        for (const { key, value } of resource.attributes) {
          if (key === "service.name") services.add(value.stringValue);
        }
        for (const { spans: some } of scopeSpans) spans.push(...some);
      }
      return Response.json({});
    },
  );
  Deno.env.set("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${server.addr.port}`);
  try {
    const tracing = startTracing("tick");
    const t = createTestMessenger({ messages: [Order, Receipt] });
    await t.dispatch(Order, { order: 7 });
    await t.drain();
    await t.drain();
    await tracing?.flush();
  } finally {
    Deno.env.delete("OTEL_EXPORTER_OTLP_ENDPOINT");
    trace.disable();
    context.disable();
  }
  assertEquals([...services], ["tick"]);
  const order = spans.find(({ name }) => name === "step charge");
  const names = spans.filter(({ traceId }) => traceId === order?.traceId).map(({ name }) => name);
  for (const name of ["send default", "process default", "step charge", "create default"]) {
    assert(names.includes(name), `${name} is missing among ${names}`);
  }
});

Deno.test("without an endpoint nothing is registered", () => {
  assertEquals(startTracing("tick"), null);
});
