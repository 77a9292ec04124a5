/** Mails, sent through a mail API. A test puts another `send` in its place. */

import { z } from "zod";
import {
  defineMessage,
  type StepContext,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { post } from "./post.ts";

const Mail = z.object({ to: z.email(), template: z.string(), link: z.string().optional() });

/** One mail: to whom, which one, and the link in it. */
export type Mail = z.infer<typeof Mail>;

/** The mail API. */
export const mailer = {
  /** Sends a mail, once for each key. @throws HttpError if the mail API refuses it */
  send: (mail: Mail, call: StepContext): Promise<void> =>
    post("https://mail.example/send", mail, call),
};

/** Sends a mail that is dispatched with the outcome of another message. */
export const SendMail = defineMessage({
  type: "SendMail",
  schema: Mail,
  handler: (mail, { step }) => step("send", (call) => mailer.send(mail, call)),
});
