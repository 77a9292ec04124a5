/** Retries: when to try again, and when to give up. */

export * from "./alternatives.ts";
export * from "./classify.ts";
export * from "./manager.ts";
export * from "../dead-letters/redrive.ts";
export * from "./strategy.ts";
