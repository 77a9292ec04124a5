/**
 * Tracing of a project's functions by OTLP over HTTP, as Grafana, Honeycomb, Jaeger and others take it.
 *
 * A hosted function lives for 150 s at most, and may be ended at any moment after its answer. So spans leave in small
 * batches every second, what is queued is bounded, and the rest leaves when the runtime says that it is about to end.
 *
 * ```ts
 * // below the first line of supabase/functions/tick/index.ts, and in the same way in dispatch/index.ts
 * import { startTracing } from "../_messages/otlp.ts";
 * startTracing("tick");
 * ```
 */

import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

/**
 * Registers the SDK, before the function is made. It exports to OTEL_EXPORTER_OTLP_ENDPOINT, with the headers of
 * OTEL_EXPORTER_OTLP_HEADERS; where the first is not set, nothing is registered, and tracing costs nothing.
 * @param service the name of the function among the services of the trace
 * @returns exports what waits, for tests; null if nothing was registered
 */
export function startTracing(service: string): { flush(): Promise<void> } | null {
  if (!Deno.env.get("OTEL_EXPORTER_OTLP_ENDPOINT")) return null;
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": service }),
    spanProcessors: [
      new BatchSpanProcessor(new OTLPTraceExporter({ timeoutMillis: 3_000 }), {
        scheduledDelayMillis: 1_000,
        maxQueueSize: 2_000,
        maxExportBatchSize: 200,
        exportTimeoutMillis: 5_000,
      }),
    ],
  });
  trace.setGlobalTracerProvider(provider);
  // Spans of your own, and of libraries, are children of the handler's by this.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  // The runtime tells its functions when they are about to end, for whatever reason.
  addEventListener("beforeunload", () => void provider.forceFlush());
  return { flush: () => provider.forceFlush() };
}
