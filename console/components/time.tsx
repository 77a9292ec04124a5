/** A moment, relative to now; the tooltip has it exactly, in UTC and in the operator's zone. */

import type { JSX } from "preact";
import { useSyncExternalValue } from "../api/external-value.ts";
import { serverNow } from "../api/server-clock.ts";
import { formatExact, formatRelative } from "./relative-time.ts";

const TURN_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = serverNow();

/** One timer turns all times of the page. */
function subscribeNow(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // It has stood still while no time was shown.
    turn();
    timer = setInterval(() => document.visibilityState !== "hidden" && turn(), TURN_MS);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function turn(): void {
  now = serverNow();
  for (const one of listeners) one();
}

/** Now by the server's clock, in ms since 1970, turning every second. */
export const useNow = (): number => useSyncExternalValue(subscribeNow, () => now);

/** Properties of a time. */
export interface TimeProps {
  /** ISO 8601, or ms since 1970. */
  readonly at: string | number | null | undefined;
  /** Text for no moment; default a dash. */
  readonly none?: string;
}

/** Shows a moment. */
export function Time({ at, none = "–" }: TimeProps): JSX.Element {
  const now = useNow();
  const moment = typeof at === "string" ? Date.parse(at) : at;
  if (moment === null || moment === undefined || Number.isNaN(moment)) {
    return <span class="muted">{none}</span>;
  }
  return (
    // In a live region it would be read out each second.
    <time aria-live="off" dateTime={new Date(moment).toISOString()} title={formatExact(moment)}>
      {formatRelative(moment, now)}
    </time>
  );
}
