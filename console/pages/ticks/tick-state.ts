/** The state of a tick or a worker. Pure. */

import type { Schemas } from "../../api/api-client.ts";

/** A tick or a worker of the API. */
export type Tick = Schemas["Tick"];

/** The states, in the order in which they follow each other. */
export type TickState = "asked" | "lost" | "awake" | "resting" | "working" | "silent" | "ended";

/** Longest time between a request and its arrival, and without a sign of life, in ms. */
const ARRIVAL_MS = 60_000;
const SILENCE_MS = 60_000;

/**
 * The state of a tick.
 * @param now in ms since 1970
 */
export function stateOf(tick: Tick, now: number): TickState {
  const { askedAt, startedAt, heartbeatAt, restedAt, endedAt, worker } = tick;
  if (endedAt !== null) return "ended";
  if (startedAt === null) return now - Date.parse(askedAt) > ARRIVAL_MS ? "lost" : "asked";
  if (now - Date.parse(heartbeatAt ?? startedAt) > SILENCE_MS) return "silent";
  if (worker !== null) return "working";
  return restedAt === null ? "awake" : "resting";
}

/** Whether it is alive, as far as the database knows. */
export function isAlive(state: TickState): boolean {
  return ["asked", "awake", "resting", "working"].includes(state);
}

/** A number of its report; 0 if it is not there. */
export function countOf({ report }: Tick, name: string): number {
  const value = report?.[name];
  return typeof value === "number" ? value : 0;
}
