/** `deno task frontend`: the example with a stack of its own, until Ctrl-C. `--reset` begins with an empty database. */

import { createClient } from "@supabase/supabase-js";
import { exitWith, untilAborted, untilStopped } from "../../local/session.ts";
import { startStack } from "../../local/stack.ts";
import { servePage } from "./page.ts";

const user = { email: "ada@example.org", password: "engine" };

async function main(args: readonly string[]): Promise<void> {
  await untilStopped(async (stopping) => {
    console.log("Starting a Supabase project on this machine ...");
    await using stack = await startStack({
      dataDir: new URL("../../.local/frontend", import.meta.url).pathname,
      messages: new URL("messages", import.meta.url).pathname,
      reset: args.includes("--reset"),
      warmUp: true,
      // A heartbeat every 3 s: a job that is cancelled while it runs learns of it then.
      env: { SYMPHONY_WORKER_LEASE_MS: "9000" },
      log: "inherit",
      signal: stopping.signal,
    });
    // From the second start on there is such a user: that is refused, and no failure.
    await createClient(stack.url, stack.publishableKey).auth.signUp(user);
    const { url, publishableKey } = stack;
    const page = await servePage({ url, publishableKey });
    console.log(`\n${page.url}: sign in as ${user.email}, ${user.password}. Ctrl-C ends it.\n`);
    try {
      await untilAborted(new Promise<never>(() => {}), stopping.signal);
    } finally {
      await page.stop();
    }
  });
}

await exitWith(() => main(Deno.args));
