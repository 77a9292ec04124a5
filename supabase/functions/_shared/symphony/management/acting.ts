/** Changes in an operator's name: each is written into the action log, in its own transaction. */

import type { SupabaseClient } from "@supabase/supabase-js";

/** SQL functions that change something; messenger_act() calls these and no others. */
const OPERATIONS = new Set([
  "messenger_redrive",
  "messenger_remove_failed",
  "messenger_cancel",
  "messenger_set_queue",
  "messenger_save_schedules",
  "messenger_pause_schedule",
  "messenger_resume_schedule",
  "messenger_trigger_schedule",
  "messenger_unschedule",
]);

/**
 * The client, with every change going through messenger_act(): the transport, the scheduler and
 * `redrive` work with it as with any other.
 * @param actor who the action log says it was
 */
export function actingAs(client: SupabaseClient, actor: string): SupabaseClient {
  const rpc: SupabaseClient["rpc"] = (name: string, args: unknown, options?: object) =>
    OPERATIONS.has(name)
      ? client.rpc("messenger_act", { actor, operation: name, args }, options)
      : client.rpc(name, args, options);
  return new Proxy(client, {
    get: (target, property) => property === "rpc" ? rpc : Reflect.get(target, property),
  });
}
