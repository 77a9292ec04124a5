/** Rate limits that a request's messages count against. */

import type { LimitedDispatch } from "../message/rate-limit.ts";
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
    const { perUser = null, total = null } = registry.get(type)?.rateLimit ?? {};
    for (const [whose, rate] of [[caller, perUser], ["total", total]] as const) {
      if (rate && count > rate.max) {
        throw new RangeError(`type: at most ${rate.max} messages of the type ${type} at once`);
      }
      if (rate) limits.push({ ...rate, type, caller: whose, count });
    }
  }
  return limits;
}
