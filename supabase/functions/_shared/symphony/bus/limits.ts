/** Rate limits that a request's messages count against. */

import { type EventDefinition } from "../message/event.ts";
import { type CheckedRateLimit, EVENT_LIMIT, type LimitedDispatch } from "../message/rate-limit.ts";
import type { Registry } from "../message/registry.ts";

/**
 * Lists a request's use of its types' rate limits; empty if no type has one.
 * @param caller owner of the allowance: `user:<id>` or `publishable`
 * @throws RangeError if the request has more messages of a type than the limit ever allows at once
 */
export function limitsOf(
  messages: readonly { readonly type: string }[],
  caller: string,
  registry: Registry,
): LimitedDispatch[] {
  const counts = new Map<string, number>();
  for (const { type } of messages) counts.set(type, (counts.get(type) ?? 0) + 1);
  const limits: LimitedDispatch[] = [];
  for (const [type, count] of counts) {
    const used = usesOf(registry.get(type)?.rateLimit, { type, caller, count });
    for (const { max } of used) {
      if (count > max) {
        throw new RangeError(`type: at most ${max} messages of the type ${type} at once`);
      }
    }
    limits.push(...used);
  }
  return limits;
}

/** The use that one emit makes of its event's limits; empty if it has none. @param caller as for messages */
export function limitsOfEmit(
  { name, rateLimit }: Pick<EventDefinition, "name" | "rateLimit">,
  caller: string,
): LimitedDispatch[] {
  return usesOf(rateLimit, { type: `${EVENT_LIMIT}${name}`, caller, count: 1 });
}

function usesOf(
  limit: CheckedRateLimit | null | undefined,
  { type, caller, count }: Pick<LimitedDispatch, "type" | "caller" | "count">,
): LimitedDispatch[] {
  const { perUser = null, total = null } = limit ?? {};
  return [
    ...(perUser ? [{ ...perUser, type, caller, count }] : []),
    ...(total ? [{ ...total, type, caller: "total", count }] : []),
  ];
}
