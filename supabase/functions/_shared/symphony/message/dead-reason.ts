/** Reasons of dead letters. Clients read this file too, so it imports nothing. */

/** The reasons for which messages become dead letters. */
export const DEAD_REASONS = [
  "exhausted",
  "unrecoverable",
  "crashed",
  "invalid",
  "unknown_type",
  "expired",
  "cancelled",
  "interrupted",
] as const;

/** Why a message became a dead letter. */
export type DeadReason = typeof DEAD_REASONS[number];
