/** An engine that keeps what is published to it, with the fates that a test gives. */

import type {
  Engine,
  EngineMessage,
  EngineSender,
  Published,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";

/** The capabilities of the engines of these tests. */
const capabilities = {
  fence: "enforced",
  order: "partition",
  lease: "fixed",
  maxBytes: 100_000,
} as const;

/** An engine whose messages another project handles. @param fate of each message; confirmed by default */
export function recorded(
  options: Pick<EngineSender, "outbox"> = {},
  fate: (message: EngineMessage) => Published = () => ({ kind: "confirmed" }),
): EngineSender & { readonly published: EngineMessage[] } {
  const published: EngineMessage[] = [];
  return {
    ...options,
    capabilities,
    published,
    publish: (messages) => {
      published.push(...messages);
      return Promise.resolve(messages.map(fate));
    },
    check: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}

/** An engine whose messages this project receives; it never has any. */
export function received(options: Pick<EngineSender, "outbox"> = {}): Engine & {
  readonly published: EngineMessage[];
} {
  return {
    ...recorded(options),
    pull: () => Promise.resolve([]),
    acknowledge: (deliveries) => Promise.resolve(deliveries.map(() => true)),
    giveBack: () => Promise.resolve(),
    depth: () => Promise.resolve([]),
    declare: () => Promise.resolve(),
  };
}
