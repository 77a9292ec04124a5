/** Agents of all systems, started together and ended together. */

import type { Agent } from "../harness/agent.ts";
import { type SystemName, SYSTEMS } from "../harness/systems.ts";
import type { World } from "../harness/world.ts";

/** Agents of each system, the same number of each. */
export interface Fleet extends AsyncDisposable {
  readonly agents: Readonly<Record<SystemName, readonly [Agent, ...Agent[]]>>;
}

/** Starts `size` agents of each system. */
export async function startFleet({ systems }: World, size = 1): Promise<Fleet> {
  const started = new AsyncDisposableStack();
  const start = async (name: SystemName) => started.use(await systems[name].agent());
  const agents = await Promise.all(SYSTEMS.map(async (name) => {
    const first = await start(name);
    const others = await Promise.all(Array.from({ length: size - 1 }, () => start(name)));
    return [name, [first, ...others]] as const;
  }));
  return {
    agents: Object.fromEntries(agents) as Record<SystemName, [Agent, ...Agent[]]>,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}
