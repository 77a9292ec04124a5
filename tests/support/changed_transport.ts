/** Transports with some of their calls failing, watched or changed. */

import type { Transport } from "../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { InMemoryTransport } from "../../supabase/functions/_shared/symphony/testing.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../supabase/functions/_shared/symphony/transport/receiver.ts";

/** A transport with some of its calls replaced. */
export function overriding(transport: Transport, by: Partial<Transport>): Transport {
  return withCalls(transport, (operation, call) => Reflect.get(by, operation) ?? call);
}

/** A transport that fails as told, before the call or after it. */
export function failing(
  memory: InMemoryTransport,
  fault: (operation: string, when: "before" | "after") => Error | undefined,
): Transport {
  return withCalls(memory, (name, call) => async (...args) => {
    const operation = name === "settleAndClaim" ? "settle" : name;
    const before = fault(operation, "before");
    if (before) throw before;
    const answer = await call(...args);
    const after = fault(operation, "after");
    if (after) throw after;
    return answer;
  });
}

/** The memory with some of its calls watched or changed. */
export function changed(memory: InMemoryTransport, by: {
  readonly claim?: (claim: Claim, request: ClaimRequest) => Claim;
  readonly settle?: (settlements: readonly Settlement[]) => void;
  readonly extendLeases?: Transport["extendLeases"];
}): Transport {
  const { claim = (claim: Claim) => claim, settle = () => {}, extendLeases } = by;
  return overriding(memory, {
    claim: async (request) => claim(await memory.claim(request), request),
    settle: (settlements) => (settle(settlements), memory.settle(settlements)),
    settleAndClaim: async (settlements, request) => {
      settle(settlements);
      const answer = await memory.settleAndClaim(settlements, request);
      return { ...answer, ...claim(answer, request) };
    },
    ...(extendLeases && { extendLeases }),
  });
}

type Call = (...args: unknown[]) => unknown;

/** A transport whose calls are made by others. @param make gets the name of a call, and the call itself */
function withCalls(transport: Transport, make: (name: string, call: Call) => Call): Transport {
  const calls: Record<string, Call> = {};
  for (let at: object = transport; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const value = Reflect.get(transport, name);
      if (typeof value !== "function" || name === "constructor") continue;
      calls[name] ??= make(name, value.bind(transport));
    }
  }
  // Every call of the interface is a method of its classes.
  return { ...calls, capabilities: transport.capabilities } as unknown as Transport;
}
