/** How long the machine makes a client wait, whatever the software does: round trips and commits. */

import type { World } from "./world.ts";
import { median } from "../report/stats.ts";

/** Medians, in ms. */
export interface Waits {
  /** An empty query on a direct connection. */
  readonly roundTrip: number;
  /** An insert of one row on a direct connection, which waits for the disk. */
  readonly commit: number;
  /** An empty read through PostgREST. */
  readonly postgrest: number;
}

const TIMES = 20;

/** Measures them once, on connections that are open already. */
export async function measureWaits({ stack, systems: { floor } }: World): Promise<Waits> {
  const key = await stack.mintUserJwt({ role: "service_role" });
  const postgrest = async () => {
    const url = `${stack.postgrestUrl}/messenger_messages?select=id&limit=0`;
    const response = await fetch(url, { headers: { authorization: `Bearer ${key}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
  };
  const connection = await floor.sql.reserve();
  try {
    return {
      roundTrip: await medianOf(() => connection`select 1`),
      commit: await medianOf(() =>
        connection`
        insert into bare (type, payload, queue, priority, available_at, created_at)
        values ('Noop', '{}', 'default', 0, now(), now())`
      ),
      postgrest: await medianOf(postgrest),
    };
  } finally {
    connection.release();
    await floor.clear();
  }
}

async function medianOf(call: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  // The first opens what is not open yet.
  for (let time = -1; time < TIMES; time++) {
    const startedAt = performance.now();
    await call();
    if (time >= 0) taken.push(performance.now() - startedAt);
  }
  return median(taken);
}
