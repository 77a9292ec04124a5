/** The trace of a request's headers, by W3C's Trace Context. */

import { assertEquals } from "@std/assert";
import {
  parseTraceparent,
  traceOf,
} from "../../../supabase/functions/_shared/symphony/tracing/trace-stamp.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("a traceparent is taken apart", () => {
  assertEquals(parseTraceparent(`00-${TRACE}-${SPAN}-01`), {
    traceId: TRACE,
    spanId: SPAN,
    traceFlags: 1,
  });
});

Deno.test("a later version may have further fields", () => {
  assertEquals(parseTraceparent(`01-${TRACE}-${SPAN}-00-more`)?.spanId, SPAN);
});

for (
  const [name, text] of [
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["further fields in version 00", `00-${TRACE}-${SPAN}-01-more`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["capital letters", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["a short id", `00-${TRACE.slice(1)}-${SPAN}-01`],
    ["an endless text", `01-${TRACE}-${SPAN}-01-${"x".repeat(1_000)}`],
    ["no text", 7],
    ["nothing", undefined],
  ] as const
) {
  Deno.test(`no traceparent: ${name}`, () => {
    assertEquals(parseTraceparent(text), undefined);
  });
}

Deno.test("a tracestate goes along, unless it is too long or has no traceparent", () => {
  const traceparent = `00-${TRACE}-${SPAN}-01`;
  const of = (headers: Record<string, string>) => traceOf(new Headers(headers));
  assertEquals(of({ traceparent, tracestate: "a=1" }), { traceparent, tracestate: "a=1" });
  assertEquals(of({ traceparent, tracestate: "a=".padEnd(600, "x") }), { traceparent });
  assertEquals(of({ tracestate: "a=1" }), undefined);
  assertEquals(of({}), undefined);
});
