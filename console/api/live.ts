/** Whether and how often the page asks again: the operator's choice, for all resources of all pages. */

import { useSyncExternalValue } from "./external-value.ts";

/** Live updates as they are set. */
export interface Live {
  readonly isPaused: boolean;
  /** Time between two requests in ms; null: each resource's own. */
  readonly everyMs: number | null;
}

/** The rates that the operator may choose, in ms. */
export const LIVE_RATES: readonly number[] = [2_000, 5_000, 15_000, 60_000];

let live: Live = { isPaused: false, everyMs: null };
const listeners = new Set<() => void>();

/** The setting now. */
export const readLive = (): Live => live;

/** Calls the listener after each change; returns the end of it. */
export function subscribeLive(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Changes the setting. */
export function setLive(changes: Partial<Live>): void {
  live = { ...live, ...changes };
  for (const listener of listeners) listener();
}

/** The setting, in a component. */
export const useLive = (): Live => useSyncExternalValue(subscribeLive, readLive);
