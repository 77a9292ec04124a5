/** The registry: a project's definitions by type. */

import type { MessageDefinition } from "./definition.ts";
import { workerQueues } from "./runs-on.ts";

/** The definitions of a project by type. */
export type Registry = ReadonlyMap<string, MessageDefinition>;

/**
 * Makes the registry of a project's definitions.
 * @throws RangeError if two definitions have one type, or share a queue and run in different places
 */
export function createRegistry(messages: readonly MessageDefinition[]): Registry {
  const registry = new Map<string, MessageDefinition>();
  for (const definition of messages) {
    if (registry.has(definition.type)) {
      throw new RangeError(`messages: two definitions have the type ${definition.type}`);
    }
    registry.set(definition.type, definition);
  }
  workerQueues(registry.values());
  return registry;
}
