/** A project that calls webhooks at receivers on this machine. */

import { defineWebhook } from "../../../supabase/functions/_shared/symphony/index.ts";

export { schedules } from "../quiet_messages/schedules.ts";

const CERTIFICATE = new URL("../../unit/webhooks/fixtures/receiver.crt", import.meta.url);
let lookUps = 0;

/** Names lead to this machine; rebind.example leads to a metadata service from its second look-up on. */
function lookUp(name: string): Promise<readonly string[]> {
  const isRebound = name === "rebind.example" && lookUps++ > 0;
  return Promise.resolve([isRebound ? "169.254.169.254" : "127.0.0.1"]);
}

/** Every message definition of this project. */
export const messages = [
  defineWebhook({
    allowPrivate: ["127.0.0.1"],
    caCerts: [Deno.readTextFileSync(CERTIFICATE)],
    lookUp,
  }),
];
