/** Signs of a mail server's reply (RFC 5321, 4.2) about a retry: 4yz may pass, 5yz does not. */

import { readProperty } from "../runtime/inspect.ts";

// Replies that cannot be HTTP statuses. Other replies count only on an error that names a mail server.
const ONLY_SMTP = /^(421|432|45[0-9]|52[1-5]|53[0-9]|55[0-9])$/;
// With the enhanced code of RFC 3463, as servers write it: "450 4.2.1 mailbox busy".
const WORDED = /^([45])\d\d[ -]\1\.\d{1,3}\.\d{1,3}\b/;

/** Whether a retry can help, by `responseCode` (nodemailer) or the text; undefined for other errors. */
export function isRetryableReply(error: object): boolean | undefined {
  const code = readProperty(error, "responseCode");
  if (typeof code === "number" && (ONLY_SMTP.test(String(code)) || tellsOfMail(error))) {
    return code < 500 ? true : code < 600 ? false : undefined;
  }
  const message = readProperty(error, "message");
  const worded = typeof message === "string" ? WORDED.exec(message.slice(0, 20))?.[1] : undefined;
  return worded === undefined ? undefined : worded === "4";
}

function tellsOfMail(error: object): boolean {
  return ["command", "response"].every((key) => typeof readProperty(error, key) === "string");
}
