/** The registry: a project's definitions by type. */

import { checkDefinitions } from "./definition-lists.ts";
import type { MessageDefinition } from "./definition.ts";
import { readProperty } from "../runtime/inspect.ts";
import { workerQueues } from "./runs-on.ts";

/** The definitions of a project by type. */
export type Registry = ReadonlyMap<string, MessageDefinition>;

/** Options that were not given to defineMessage have no such property. */
function isDefinition(one: unknown): boolean {
  return typeof readProperty(one, "type") === "string" &&
    typeof readProperty(one, "timeoutMs") === "number";
}

/**
 * Makes the registry of a project's definitions.
 * @throws RangeError if an entry is no definition, or if two definitions have one type, or share a queue and run in different places
 */
export function createRegistry(messages: readonly MessageDefinition[]): Registry {
  const registry = new Map<string, MessageDefinition>();
  checkDefinitions(messages, "messages", isDefinition, "defineMessage");
  for (const definition of messages) {
    if (registry.has(definition.type)) {
      throw new RangeError(`messages: two definitions have the type ${definition.type}`);
    }
    registry.set(definition.type, definition);
  }
  workerQueues(registry.values());
  return registry;
}
