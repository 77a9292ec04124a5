/** The mail API that the handlers use. A test puts another `send` in its place. */

import { HttpError } from "../../../supabase/functions/_shared/symphony/index.ts";

/** One mail. */
export interface Mail {
  readonly to: string;
  readonly template: "welcome" | "digest";
}

/** Sends mails. */
export const mailer = {
  /** Sends one mail. @throws HttpError if the mail API refuses it */
  async send(mail: Mail, signal: AbortSignal): Promise<void> {
    const response = await fetch("https://mail.example/send", {
      method: "POST",
      body: JSON.stringify(mail),
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw HttpError.fromResponse(response);
  },
};
