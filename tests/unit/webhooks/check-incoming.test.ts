/** A function that takes in webhooks: options that are refused when it starts, and not at its first request. */

import { assertThrows } from "@std/assert";
import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { checkIncoming } from "../../../supabase/functions/_shared/symphony/webhooks/check-incoming.ts";
import { verifyStripe } from "../../../supabase/functions/_shared/symphony/webhooks/incoming-scheme.ts";

const message = defineMessage({ type: "T", schema: z.unknown(), handler: () => {} });
const verify = verifyStripe({ secrets: ["whsec_1"] });

const wrong: [object, string][] = [
  ...[undefined, null, 5, "stripe", [], new Map(), {}, { sender: "stripe" }, function* () {}].map(
    (verify): [object, string] => [{ verify }, "verify: has to be a scheme"],
  ),
  [{ source: "a b" }, "source: has to be"],
  [{ payload: 5 }, "payload: has to be a function; got 5"],
  [{ payload: { id: 1 } }, "payload: has to be a function; got an object"],
  [{ payload: function* () {} }, "payload: has to be a plain or async function"],
  [{ options: [] }, "options: have to be an object, or a function that returns one; got an array"],
  [{ options: new Map([["delay", "1h"]]) }, "options: have to be an object"],
  [{ options: 5 }, "options: have to be an object"],
];
for (const [options, problem] of wrong) {
  Deno.test(`a function for webhooks with ${Deno.inspect(options)} is refused by name`, () => {
    const all = { verify, message, ...options };
    assertThrows(() => checkIncoming(all as never), RangeError, problem);
  });
}

Deno.test("a function for webhooks takes a scheme or a function, and options of both kinds", () => {
  checkIncoming({ verify, message, payload: ({ body }) => body, options: { queue: "in" } });
  const own = () => ({ id: "1", type: null, sentAt: null });
  checkIncoming({ verify: own, message, options: () => ({ priority: 1 }) });
});
