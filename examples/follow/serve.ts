/** `deno run -A examples/follow/serve.ts`: the example with a stack of its own, until Ctrl-C. */

import { createClient } from "@supabase/supabase-js";
import { startStack } from "../../local/stack.ts";
import { servePage } from "./page.ts";

const user = { email: "ada@example.org", password: "engine" };

await using stack = await startStack({
  dataDir: new URL("../../.local/follow", import.meta.url).pathname,
  messages: new URL("messages", import.meta.url).pathname,
  reset: true,
  durable: false,
  warmUp: true,
  log: "inherit",
});
await createClient(stack.url, stack.publishableKey).auth.signUp(user);
const page = await servePage(stack);
console.log(`http://127.0.0.1:${page.addr.port}: sign in as ${user.email}, ${user.password}`);
await new Promise<void>((resolve) => Deno.addSignalListener("SIGINT", resolve));
await page.shutdown();
