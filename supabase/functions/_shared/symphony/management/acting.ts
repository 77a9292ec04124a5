/** Changes in an operator's name: each is written into the action log, in its own transaction. */

import type { SupabaseClient } from "@supabase/supabase-js";

/** SQL functions that change something; messenger_act() calls these and no others. */
const OPERATIONS = new Set([
  "messenger_redrive",
  "messenger_remove_failed",
  "messenger_cancel",
  "messenger_run",
  "messenger_prune",
  "messenger_create_queue",
  "messenger_set_queue",
  "messenger_delete_queue",
  "messenger_save_schedules",
  "messenger_pause_schedule",
  "messenger_resume_schedule",
  "messenger_trigger_schedule",
  "messenger_unschedule",
]);

const READS = /^messenger_(now|list_\w+|show_\w+)$/;

/**
 * The client, with every change going through messenger_act(): the transport, the scheduler and
 * `redrive` work with it as with any other. Beside calls of SQL functions it can do nothing, so that
 * nothing is changed behind the log's back.
 * @param actor who the action log says it was
 */
export function actingAs(client: SupabaseClient, actor: string): SupabaseClient {
  const rpc: SupabaseClient["rpc"] = (call: string, args: unknown, options?: object) => {
    // The name may be followed by a query that names the arguments.
    const [name = ""] = call.split("?");
    if (READS.test(name)) return client.rpc(call, args, options);
    if (!OPERATIONS.has(name)) throw new Error(`${name} is no operation of operators`);
    return client.rpc("messenger_act", { actor, operation: name, args }, options);
  };
  return new Proxy(client, {
    get(_, property) {
      if (property === "rpc") return rpc;
      throw new Error(`an operator's client has no ${String(property)}`);
    },
  });
}
