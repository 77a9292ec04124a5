/**
 * Tracing with Sentry, whose SDK registers itself with OpenTelemetry: handlers are transactions, and errors that a
 * handler captures stand in their traces.
 *
 * ```ts
 * // below the first line of supabase/functions/tick/index.ts, and in the same way in dispatch/index.ts
 * import { startSentry } from "../_messages/sentry.ts";
 * startSentry();
 * ```
 */

import * as Sentry from "@sentry/deno";

/** Starts Sentry with SENTRY_DSN; where it is not set, nothing is registered. @returns exports what waits, for tests */
export function startSentry(): { flush(): Promise<boolean> } | null {
  const dsn = Deno.env.get("SENTRY_DSN");
  if (!dsn) return null;
  Sentry.init({ dsn, tracesSampleRate: Number(Deno.env.get("SENTRY_SAMPLE_RATE") ?? 0.1) });
  addEventListener("beforeunload", () => void Sentry.flush(3_000));
  return { flush: () => Sentry.flush(3_000) };
}
