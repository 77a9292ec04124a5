/** An e-mail, sent through an HTTP mail API; where none is set, it is logged instead. */

import { z } from "zod";
import { defineMessage, HttpError } from "../_shared/symphony/index.ts";

/**
 * Sends an e-mail. Only backends and SQL may dispatch it: who may mail anyone anything, mails spam in
 * this project's name. A rule opens it to users, here for mails to their own address; the rate limit
 * holds for them then:
 *
 * ```ts
 * access: ({ claims, payload }) =>
 *   claims?.is_anonymous !== true && claims?.email === payload.to && payload.template === "welcome",
 * ```
 *
 * MAIL_API_URL and MAIL_API_KEY name the mail API: it gets
 * `{ to, template, data }` by POST with the key as bearer token, as most of them take it.
 */
export const EmailMessage = defineMessage({
  type: "EmailMessage",
  schema: z.object({
    to: z.email({ pattern: z.regexes.html5Email }).max(254),
    template: z.string().min(1).max(100).default("plain"),
    data: z.record(z.string(), z.unknown()).default({}),
  }),
  retry: { maxRetries: 5, delay: 2000 },
  timeout: "30s",
  maxPayloadBytes: 20_000,
  rateLimit: { perUser: { max: 5, per: "1h" }, total: { max: 500, per: "1h" } },
  handler: async (email, { envelope, signal, log }) => {
    const url = Deno.env.get("MAIL_API_URL");
    if (!url) return log.info("email_not_sent", { reason: "MAIL_API_URL is not set" });

    const response = await fetch(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${Deno.env.get("MAIL_API_KEY") ?? ""}`,
        // A delivery may be repeated; the mail API drops a second mail with one key.
        "idempotency-key": `symphony-${envelope.id}`,
      },
      body: JSON.stringify(email),
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw HttpError.fromResponse(response);
  },
});
