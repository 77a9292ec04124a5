/** Kinds of durable steps. Clients read this file too, so it imports nothing. */

/** The kind of a step: a function's result, a pause, a wait for an event, a SQL function, child messages. */
export type StepKind = "step" | "sleep" | "wait" | "effect" | "all";
