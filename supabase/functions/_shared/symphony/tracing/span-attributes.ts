/** Names and attributes of spans, and how they end. */

import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { describeError } from "../message/describe-error.ts";

/** The work of a span with messages, in the words of the conventions. */
export type OperationType = "send" | "create" | "receive" | "process" | "settle";

/** The name and the attributes of a span over messages of these queues. */
export function describeSpan(
  type: OperationType,
  name: string,
  messages: readonly { readonly queue?: string }[],
): { readonly name: string; readonly attributes: Attributes } {
  const queues = new Set(messages.map(({ queue = "default" }) => queue));
  const [queue] = queues;
  const isOne = queues.size === 1 && queue !== undefined;
  return {
    name: isOne ? `${name} ${queue}` : name,
    attributes: {
      "messaging.system": "symphony_messenger",
      "messaging.operation.name": name,
      "messaging.operation.type": type,
      ...(isOne && { "messaging.destination.name": queue }),
      ...(messages.length > 1 && { "messaging.batch.message_count": messages.length }),
    },
  };
}

/** Calls an SDK whose parts may be the user's own: their trouble stays theirs. */
export function quietly<Value>(call: () => Value): Value | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

/** Ends a span as failed. */
export function endFailed(span: Span, errorClass: string): void {
  quietly(() => {
    span.setAttribute("error.type", errorClass);
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
}

/** Runs a call inside a span, which ends with it. @throws what the call throws */
export async function within<Answer>(
  span: Span,
  parent: Context,
  call: () => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = await context.with(trace.setSpan(parent, span), call);
    quietly(() => span.end());
    return answer;
  } catch (error) {
    endFailed(span, describeError(error, { stack: 0 }).class);
    throw error;
  }
}
