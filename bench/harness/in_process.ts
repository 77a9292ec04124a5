/** A worker in the process of the benchmark, which hears from its handlers without a network between. */

import { createClient } from "@supabase/supabase-js";
import {
  createMessenger,
  type MessageDefinition,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import type { World } from "./world.ts";

const FOR_EVER_MS = 24 * 60 * 60_000;
/** Pause after a worker that found nothing has ended, in ms. */
const PAUSE_MS = 20;

/** Works with the default sizes, past the gateway, until it is disposed of: then it ends the calls that run. */
export async function workInProcess(
  { stack }: World,
  messages: readonly MessageDefinition[],
): Promise<AsyncDisposable> {
  const key = await stack.mintUserJwt({ role: "service_role", expiresInS: 3_600 });
  const supabase = createClient(stack.postgrestUrl, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: (input, init) => fetch(String(input).replace("/rest/v1/", "/"), init) },
  });
  const worker = createWorker(createMessenger({
    supabase,
    messages,
    config: readConfig(() => undefined),
    log: createLogger({ level: "error" }),
  }));
  const stopping = new AbortController();
  const work = { budgetMs: FOR_EVER_MS, cpuMs: 0, maxMessages: Infinity, signal: stopping.signal };
  const working = (async () => {
    while (!stopping.signal.aborted) {
      await worker.work(work);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await working;
    },
  };
}
