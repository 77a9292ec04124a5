/**
 * The spans of a message's way: dispatched, claimed, handled with its steps (attempt-span.ts), settled. Names and
 * attributes are those of OpenTelemetry's conventions for messaging,
 * https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/, and begin with `symphony.` where those have
 * none.
 *
 * A message keeps the context of its dispatch as a stamp, also over retries, crashes and redrives. The span of each
 * attempt is a child of that context, which the conventions allow where one message is processed: so one trace shows
 * the whole way. Claims and settle calls are for many messages, and link to the dispatch of each.
 */

import { context, type Link, ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import type { Envelope, OutgoingMessage } from "../message/envelope.ts";
import { describeSpan, quietly, within } from "./span-attributes.ts";
import { activeContext, activeTracer, contextOf, spanContextOf, stampOf } from "./tracer.ts";
import { stampedWith } from "./trace-stamp.ts";

/** Most messages that a span of many links to. */
const MAX_LINKS = 32;

/**
 * Writes messages inside a `send` span, and stamps them with its context. Without a tracer they are written as they
 * are. The parent is the trace that the first message has already, as from a request, or else the active span.
 * @throws what `send` throws
 */
export function sending<Answer>(
  messages: readonly OutgoingMessage[],
  send: (messages: readonly OutgoingMessage[]) => Promise<Answer>,
): Promise<Answer> {
  const tracer = messages.length > 0 ? activeTracer() : undefined;
  if (!tracer) return send(messages);
  const parent = contextOf(messages[0]?.stamps?.traceContext) ?? activeContext() ?? ROOT_CONTEXT;
  const { name, attributes } = describeSpan("send", "send", messages);
  const kind = SpanKind.PRODUCER;
  const span = quietly(() => tracer.startSpan(name, { kind, attributes }, parent));
  if (!span) return send(messages);
  const stamp = stampOf(span);
  return within(span, parent, () => send(messages.map((message) => stampedWith(message, stamp))));
}

/** Notes a claim that brought messages. @param startedAt when it began, in ms since 1970 */
export function noteClaim(messages: readonly Envelope[], startedAt: number): void {
  const tracer = messages.length > 0 ? activeTracer() : undefined;
  if (!tracer) return;
  const { name, attributes } = describeSpan("receive", "claim", messages);
  quietly(() =>
    tracer.startSpan(name, {
      ...{ kind: SpanKind.CLIENT, startTime: startedAt, attributes },
      links: linksOf(messages.map(({ stamps }) => stamps.traceContext)),
    }).end()
  );
}

/** Runs a call that writes outcomes in a `settle` span. @throws what the call throws */
export function settling<Answer>(
  settled: readonly { readonly envelope: Pick<Envelope, "queue" | "stamps"> }[],
  call: () => Promise<Answer>,
): Promise<Answer> {
  const tracer = settled.length > 0 ? activeTracer() : undefined;
  if (!tracer) return call();
  const envelopes = settled.map(({ envelope }) => envelope);
  const { name, attributes } = describeSpan("settle", "settle", envelopes);
  const links = linksOf(envelopes.map(({ stamps }) => stamps.traceContext));
  const kind = SpanKind.CLIENT;
  const span = quietly(() => tracer.startSpan(name, { kind, attributes, links }));
  return span ? within(span, context.active(), call) : call();
}

/** Runs a tick in a span: the parent of its claims and settle calls. @throws what the tick throws */
export function ticking<Answer>(tick: () => Promise<Answer>): Promise<Answer> {
  const span = quietly(() => activeTracer()?.startSpan("tick", {}, ROOT_CONTEXT));
  return span ? within(span, ROOT_CONTEXT, tick) : tick();
}

function linksOf(stamps: readonly unknown[]): Link[] {
  return stamps.slice(0, MAX_LINKS).flatMap((stamp) => {
    const spanContext = spanContextOf(stamp);
    return spanContext ? [{ context: spanContext }] : [];
  });
}
