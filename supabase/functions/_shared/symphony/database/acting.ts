/** Makes changes in an operator's name: each is written to the action log in its own transaction. */

import type { SupabaseClient } from "@supabase/supabase-js";

/** SQL functions that change data. messenger_act() calls these and no others. */
const OPERATIONS = new Set([
  "messenger_redrive",
  "messenger_remove_failed",
  "messenger_cancel",
  "messenger_cancel_batch",
  "messenger_run",
  "messenger_cancel_outbox",
  "messenger_run_outbox",
  "messenger_resend_outbox",
  "messenger_prune",
  "messenger_create_queue",
  "messenger_set_queue",
  "messenger_delete_queue",
  "messenger_save_schedules",
  "messenger_pause_schedule",
  "messenger_resume_schedule",
  "messenger_trigger_schedule",
  "messenger_unschedule",
  "messenger_setup",
  "messenger_create_webhook_endpoint",
  "messenger_set_webhook_endpoint",
  "messenger_delete_webhook_endpoint",
  "messenger_rotate_webhook_secret",
  "messenger_test_webhook_endpoint",
  "messenger_resend_webhooks",
  "messenger_create_alert",
  "messenger_set_alert",
  "messenger_delete_alert",
  "messenger_set_alert_channel",
  "messenger_delete_alert_channel",
  "messenger_test_alert_channel",
  "messenger_retry_alert_delivery",
]);

const READS = /^messenger_(now|list_\w+|show_\w+)$/;

/**
 * Wraps a client so that every change goes through messenger_act(). The transport, the scheduler and
 * `redrive` use it like any other client. It can only call SQL functions, so that no change bypasses the
 * action log.
 * @param actor the operator's name in the action log
 */
export function actingAs(client: SupabaseClient, actor: string): SupabaseClient {
  return new Proxy(client, {
    get(_, property) {
      if (property === "rpc") return rpcOf(client, actor);
      // The library calls functions through `schema` to check their responses.
      if (property === "schema") return (name: string) => ofSchema(client.schema(name), actor);
      throw new Error(`an operator's client has no ${String(property)}`);
    },
  });
}

/** A schema's client, wrapped in the same way. Its `fetch` may be set. */
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
    // A query with the names of the arguments may follow the name.
    const [name = ""] = call.split("?");
    if (READS.test(name)) return client.rpc(call, args, options);
    if (!OPERATIONS.has(name)) throw new Error(`${name} is no operation of operators`);
    return client.rpc("messenger_act", { actor, operation: name, args }, options);
  };
}
