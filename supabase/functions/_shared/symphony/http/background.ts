/** Work that continues after the answer. */

import type { Logger } from "../runtime/log.ts";

/** The part of the hosted runtime that is used; plain Deno has none of it. */
interface EdgeRuntime {
  waitUntil(promise: Promise<unknown>): void;
}

/** Lets `work` continue after the answer, and logs its failure. Where the platform allows it, the worker stays alive. */
export function inBackground(work: Promise<unknown>, log: Logger): void {
  const logged = work.catch((error) => log.error("background_failed", { error: String(error) }));
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;
  runtime?.waitUntil(logged);
}
