/** Work that goes on after the answer. */

import type { Logger } from "../runtime/log.ts";

/** The part of the hosted runtime that is used; plain Deno has none of it. */
interface EdgeRuntime {
  waitUntil(promise: Promise<unknown>): void;
}

/** Lets `work` go on after the answer, and logs its failure; where it can, it keeps the worker alive. */
export function inBackground(work: Promise<unknown>, log: Logger): void {
  const logged = work.catch((error) => log.error("background_failed", { error: String(error) }));
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;
  runtime?.waitUntil(logged);
}
