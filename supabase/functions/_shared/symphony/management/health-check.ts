/** A check of the health: its limits and its result. */

import type { HealthFacts } from "../database/bus-state.ts";

/** Limits beyond which the bus is not healthy. */
export interface HealthLimits {
  /** Ms since the last tick began. */
  readonly maxTickAge: number;
  /** Longest wait of a due message, in ms. */
  readonly maxReadyAge: number;
  /** Longest delay of a schedule's run, in ms. */
  readonly maxScheduleAge: number;
  /** Most dead letters within an hour; default: no limit. */
  readonly maxDeadLetters: number | undefined;
  /** The project's URL, as the function knows it. */
  readonly projectUrl?: string | undefined;
}

/** The result of one check. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** The found value: ms, a number, a text, or whether a thing exists; null: never, or none. */
  readonly found: number | boolean | string | null;
  /** The largest healthy value, in the same unit; null: no limit. */
  readonly limit: number | boolean | string | null;
  /** Advice for the operator if the check fails; null if it passes. */
  readonly advice: string | null;
}

/** A judged fact, with the advice that an operator gets if it fails. */
export type Judged = Omit<HealthCheck, "advice"> & { readonly advice: string };

/** How long ago a moment was, in ms; null if there was none. */
export function age(facts: HealthFacts, since: string | null): number | null {
  return since === null ? null : Math.max(0, Date.parse(facts.now) - Date.parse(since));
}
