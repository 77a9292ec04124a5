/** The transports of a project in a test: their names and limits count, and nothing is sent to them. */

import { isOptions } from "../runtime/option-names.ts";
import { type EngineSender, isReceived } from "../transport/engine.ts";

const nothing = () => Promise.resolve([]);

/** Transports whose messages all stay in the transport in memory, as in an outbox that is never sent. */
export function untouched(
  transports: Readonly<Record<string, EngineSender>>,
): Readonly<Record<string, EngineSender>> {
  // A Map is refused with the other checks, too; its entries are no transports by name.
  if (!isOptions(transports)) return transports;
  return Object.fromEntries(
    // Another value is refused with the other checks.
    Object.entries(transports).map(([name, one]) => [name, isEngine(one) ? inert(one) : one]),
  );
}

/** Names of the transports whose messages another project handles. */
export function elsewhere(transports: Readonly<Record<string, EngineSender>>): string[] {
  return Object.keys(transports).filter((name) => {
    const one: unknown = transports[name];
    return isEngine(one) && !isReceived(one);
  });
}

function isEngine(one: unknown): one is EngineSender {
  return typeof one === "object" && one !== null && "publish" in one;
}

function inert(engine: EngineSender): EngineSender {
  const { capabilities } = engine;
  const sender = { capabilities, publish: nothing, check: nothing, close: () => Promise.resolve() };
  return Object.assign(sender, isReceived(engine) && { pull: nothing });
}
