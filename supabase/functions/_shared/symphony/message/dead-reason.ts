/** Reasons of dead letters. Clients read this file too, so it imports nothing. */

/** Why a message became a dead letter. */
export type DeadReason =
  | "exhausted"
  | "unrecoverable"
  | "crashed"
  | "invalid"
  | "unknown_type"
  | "expired"
  | "cancelled"
  | "interrupted";
