/** Options of webhook calls that are refused by name. */

import { assertThrows } from "@std/assert";
import { defineWebhook } from "../../../supabase/functions/_shared/symphony/webhooks/define-webhook.ts";

const webhooks: [object, string][] = [
  [{ timeout: 0 }, "timeout: has to be more than 0"],
  [{ timeout: null }, "timeout: has to be"],
  [{ caCerts: 5 }, "caCerts: has to be a list of at most 1000 certificates as PEM; got 5"],
  [{ caCerts: "-----BEGIN CERTIFICATE-----" }, "caCerts: has to be a list"],
  [
    { caCerts: ["my.pem"] },
    'caCerts: has to be a list of at most 1000 certificates as PEM; got "m',
  ],
  [{ lookUp: 5 }, "lookUp: has to be a function; got 5"],
  [{ lookUp: function* () {} }, "lookUp: has to be a plain or async function"],
  [{ allowPrivate: [5] }, "allowPrivate: has to be a list of at most 100 names; got 5"],
  [{ allowPrivate: ["a b"] }, "allowPrivate: has to be"],
  [{ secrets: [5] }, "secrets: has to be a list of at most 2 names; got 5"],
  [{ secrets: ["a", "b", "c"] }, "secrets: has to be a list of at most 2 names"],
  [{ type: null }, "type: has to be"],
  [{ retry: null }, "retry: has to be"],
];
for (const [options, message] of webhooks) {
  Deno.test(`a webhook with ${Deno.inspect(options)} is refused by name`, () => {
    assertThrows(() => defineWebhook(options as never), RangeError, message);
  });
}
