/** Mails whose addresses an operator has to mend, for tests of the console. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";

/** A mail; its schema has become stricter than it was. */
export const EmailMessage = defineMessage({
  type: "EmailMessage",
  schema: z.object({
    to: z.email().describe("Recipient"),
    template: z.enum(["welcome", "digest"]),
    subject: z.string().optional(),
    tries: z.number().int().optional(),
  }),
  queue: "mail",
  retry: { maxRetries: 1, delay: 100 },
  handler: () => {},
});

/** A call of another system. */
export const WebhookMessage = defineMessage({
  type: "WebhookMessage",
  schema: z.looseObject({ url: z.string() }),
  handler: () => {},
});

/** The messages of the stack. */
export const messages = [EmailMessage, WebhookMessage];
