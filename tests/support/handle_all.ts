/** Handles all that is due, without a worker. */

import type { Transport } from "../../supabase/functions/_shared/symphony/transport/transport.ts";

/** Claims what is due and settles it as handled. Returns the number of messages. */
export async function handleAll(transport: Transport): Promise<number> {
  const { messages } = await transport.claim({
    token: crypto.randomUUID(),
    maxMessages: 100,
    leaseMs: 60_000,
  });
  await transport.settle(messages.map(({ id, leaseToken, groupKey }) => ({
    id,
    leaseToken,
    grouped: typeof groupKey === "string",
    outcome: { kind: "handled" },
  })));
  return messages.length;
}
