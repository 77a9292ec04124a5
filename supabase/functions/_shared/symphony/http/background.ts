/** Work that continues after the response is sent. */

import type { Logger } from "../runtime/log.ts";

/** The part of the hosted runtime's API that is used here. Plain Deno does not have it. */
interface EdgeRuntime {
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * Lets work continue after the response is sent. On the hosted platform, the process stays alive until then.
 * @param work the work; its rejection is logged as `background_failed`
 */
export function inBackground(work: Promise<unknown>, log: Logger): void {
  const logged = work.catch((error) => log.error("background_failed", { error: String(error) }));
  const runtime = (globalThis as { EdgeRuntime?: EdgeRuntime }).EdgeRuntime;
  runtime?.waitUntil(logged);
}
