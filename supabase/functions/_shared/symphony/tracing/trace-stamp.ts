/** The trace that a message belongs to, as W3C's Trace Context writes it: in a request's headers, and as a stamp. */

/** Where a message was dispatched: the trace and its span. */
export interface TraceStamp {
  readonly traceparent: string;
  /** Additions of tracing systems, by the same specification. */
  readonly tracestate?: string;
}

/** A traceparent in its parts. */
export interface Traceparent {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const FORMAT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;
/** The specification asks for 512 characters at least. */
const MAX_TRACESTATE_LENGTH = 512;

/**
 * Takes a traceparent apart; undefined if it is none. https://www.w3.org/TR/trace-context/#traceparent-header: a
 * later version may have further fields, `ff` is no version, and ids of zeros are none.
 */
export function parseTraceparent(text: unknown): Traceparent | undefined {
  const parts = typeof text === "string" && text.length <= 256 ? FORMAT.exec(text) : null;
  if (!parts) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", more] = parts;
  if (version === "ff" || version === "00" && more !== undefined) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) };
}

/** The trace of a request; undefined if its header is missing or wrong, which is no fault of the request's. */
export function traceOf(headers: Pick<Headers, "get">): TraceStamp | undefined {
  const traceparent = headers.get("traceparent");
  if (traceparent === null || !parseTraceparent(traceparent)) return undefined;
  const tracestate = headers.get("tracestate");
  const isKept = tracestate !== null && tracestate !== "" &&
    tracestate.length <= MAX_TRACESTATE_LENGTH;
  return isKept ? { traceparent, tracestate } : { traceparent };
}

/** The message with the stamp of its trace. */
export function stampedWith<
  Message extends { readonly stamps?: Readonly<Record<string, unknown>> },
>(message: Message, trace: TraceStamp): Message {
  return { ...message, stamps: { ...message.stamps, traceContext: trace } };
}
