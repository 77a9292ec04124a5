/** Mails, sent through the mail API. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { mailer } from "./mailer.ts";

/** Sends a mail. Retries after 2 s and 4 s: three attempts in all. */
export const SendMail = defineMessage({
  type: "SendMail",
  schema: z.object({ to: z.email(), template: z.enum(["welcome", "digest"]) }),
  retry: { maxRetries: 2, delay: "2s", multiplier: 2 },
  handler: (mail, { signal }) => mailer.send(mail, signal),
});
