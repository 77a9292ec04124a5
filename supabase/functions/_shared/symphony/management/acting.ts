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
  return new Proxy(client, {
    get(_, property) {
      if (property === "rpc") return rpcOf(client, actor);
      // What calls are made with when their answers are looked at on the way.
      if (property === "schema") return (name: string) => ofSchema(client.schema(name), actor);
      throw new Error(`an operator's client has no ${String(property)}`);
    },
  });
}

/** A schema's client in the same way; how it fetches may be set. */
function ofSchema<Rest extends Pick<SupabaseClient, "rpc">>(rest: Rest, actor: string): Rest {
  return new Proxy(rest, {
    get(_, property) {
      if (property === "rpc") return rpcOf(rest, actor);
      if (property === "fetch") return Reflect.get(rest, property);
      throw new Error(`an operator's client has no ${String(property)}`);
    },
  });
}

function rpcOf(client: Pick<SupabaseClient, "rpc">, actor: string): SupabaseClient["rpc"] {
  return (call: string, args: unknown, options?: object) => {
    // The name may be followed by a query that names the arguments.
    const [name = ""] = call.split("?");
    if (READS.test(name)) return client.rpc(call, args, options);
    if (!OPERATIONS.has(name)) throw new Error(`${name} is no operation of operators`);
    return client.rpc("messenger_act", { actor, operation: name, args }, options);
  };
}
