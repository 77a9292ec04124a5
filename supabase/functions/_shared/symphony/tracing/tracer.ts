/**
 * The tracer of this library, through OpenTelemetry's API alone: a registered SDK gets spans, and without one
 * nothing is made. The API is pinned to 1.9.0 on purpose: it takes the registration of its own version and of later
 * ones, but not of earlier ones, and the package bundles it.
 */

import {
  type Context,
  context,
  createTraceState,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { VERSION } from "../runtime/version.ts";
import { parseTraceparent, type TraceStamp } from "./trace-stamp.ts";

const NAME = "symphony-messenger";

/** A provider that waits for an SDK, and its way to the SDK's tracer. */
interface Waiting {
  getDelegateTracer?(name: string, version?: string): Tracer | undefined;
}

/** The tracer of the SDK that is registered; undefined without one. It costs less than a microsecond. */
export function activeTracer(): Tracer | undefined {
  const provider: Waiting & { getTracer: typeof trace.getTracer } = trace.getTracerProvider();
  return provider.getDelegateTracer
    ? provider.getDelegateTracer(NAME, VERSION)
    : provider.getTracer(NAME, VERSION);
}

/** The context of a stamp, as of a span elsewhere; undefined if there is no valid one. */
export function contextOf(stamp: unknown): Context | undefined {
  const spanContext = spanContextOf(stamp);
  return spanContext && trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

/** The span of a stamp; undefined if there is no valid one. A stamp may come from a row of the user's. */
export function spanContextOf(stamp: unknown): SpanContext | undefined {
  if (typeof stamp !== "object" || stamp === null) return undefined;
  const { traceparent, tracestate } = stamp as Partial<Record<keyof TraceStamp, unknown>>;
  const parsed = parseTraceparent(traceparent);
  if (!parsed) return undefined;
  return {
    ...parsed,
    isRemote: true,
    ...(typeof tracestate === "string" && { traceState: createTraceState(tracestate) }),
  };
}

/** The stamp of a span. */
export function stampOf(span: Span): TraceStamp {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  const flags = traceFlags.toString(16).padStart(2, "0");
  const tracestate = traceState?.serialize();
  const traceparent = `00-${traceId}-${spanId}-${flags}`;
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

/** The context of the span that is active here; undefined outside of one, or where no context manager is registered. */
export function activeContext(): Context | undefined {
  const active = context.active();
  return trace.getSpanContext(active) ? active : undefined;
}
