/** The span of one attempt at a message, the spans of its steps, and what its handlers dispatch. */

import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  trace,
} from "@opentelemetry/api";
import type { Envelope, OutgoingMessage } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";
import { describeSpan, endFailed, quietly, within } from "./span-attributes.ts";
import { activeContext, activeTracer, contextOf, stampOf } from "./tracer.ts";
import { stampedWith } from "./trace-stamp.ts";

/** The span of an attempt, from its start to its outcome. */
export class AttemptSpan {
  readonly #span: Span;
  readonly #context: Context;

  private constructor(span: Span, parent: Context) {
    this.#span = span;
    this.#context = trace.setSpan(parent, span);
  }

  /** Begins it; undefined without a tracer. */
  static begin(envelope: Envelope): AttemptSpan | undefined {
    const tracer = activeTracer();
    return tracer && quietly(() => {
      const { id, type, attempts, groupKey, stamps } = envelope;
      const parent = contextOf(stamps.traceContext) ?? ROOT_CONTEXT;
      const { name, attributes } = describeSpan("process", "process", [envelope]);
      const tick = trace.getSpanContext(context.active());
      const span = tracer.startSpan(name, {
        kind: SpanKind.CONSUMER,
        attributes: {
          ...attributes,
          "messaging.message.id": id,
          "symphony.message.type": type,
          "symphony.attempt": attempts,
          ...(groupKey !== null && { "symphony.group_key": groupKey }),
          ...(stamps.redriven !== undefined && { "symphony.redriven": stamps.redriven }),
        },
        ...(tick && { links: [{ context: tick }] }),
      }, parent);
      return new AttemptSpan(span, parent);
    });
  }

  /** Runs the handlers: spans of the user's own are children of the attempt's. */
  run<Answer>(call: () => Answer): Answer {
    return context.with(this.#context, call);
  }

  /** Runs the function of a step in a span of its own. @throws what the function throws */
  async step<Answer>(name: string, call: () => Answer | Promise<Answer>): Promise<Answer> {
    const parent = this.#parent;
    const span = quietly(() =>
      activeTracer()?.startSpan(`step ${name}`, { attributes: { "symphony.step": name } }, parent)
    );
    return span ? await within(span, parent, call) : await call();
  }

  /** Stamps a message that is written with the outcome. A `create` span stands for its dispatch. */
  create(message: OutgoingMessage): OutgoingMessage {
    const { name, attributes } = describeSpan("create", "create", [message]);
    const kind = SpanKind.PRODUCER;
    const stamp = quietly(() => {
      const span = activeTracer()?.startSpan(name, { kind, attributes }, this.#parent);
      span?.end();
      return span && stampOf(span);
    });
    return stamp ? stampedWith(message, stamp) : message;
  }

  /** Makes the attempt the parent of a message that is written at once, where no context manager tells it. */
  adopt(message: OutgoingMessage): OutgoingMessage {
    return activeContext() ? message : stampedWith(message, stampOf(this.#span));
  }

  /** The same for messages that are written together. */
  adoptAll(messages: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
    return messages.map((message) => this.adopt(message));
  }

  /** The attempt has its outcome. */
  end(outcome: Settlement["outcome"]): void {
    const span = this.#span;
    quietly(() => span.setAttribute("symphony.outcome", outcome.kind));
    const error = "errors" in outcome ? outcome.errors.at(-1) : undefined;
    if (error) endFailed(span, error.class);
    else quietly(() => span.end());
  }

  /** Fields of a log line, by which it is found from its span. */
  get fields(): Readonly<Record<string, string>> {
    const { traceId, spanId } = trace.getSpanContext(this.#parent) ?? this.#span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  /** The innermost span of the handler: a step's, one of the user's, or the attempt's. */
  get #parent(): Context {
    return activeContext() ?? this.#context;
  }
}
