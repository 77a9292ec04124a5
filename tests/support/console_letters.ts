/** Messages and dead letters for tests of the console. */

import type { TestStack } from "./stack.ts";

/** Error of mails whose server cannot be reached. */
export const UNREACHABLE = "connect ETIMEDOUT 203.0.113.7:25";
/** Error of mails without a mailbox. */
export const NO_MAILBOX = "550 5.1.1 The mailbox does not exist";

/** Makes dead letters of mails, each with two failed attempts. */
export async function addDeadMails(
  { sql }: TestStack,
  count: number,
  given: { error?: string; reason?: string; to?: string } = {},
): Promise<string[]> {
  const { error = UNREACHABLE, reason = "exhausted", to = "ada@example.org" } = given;
  const stack = `Error: ${error}\n    at connect (net.ts:55:16)\n    at sendMail (mail.ts:12:9)`;
  const rows = await sql<{ id: string }[]>`
    insert into public.messenger_failed_messages (
      id, type, payload, queue, reason, error, errors, attempts, retry_count, created_at, failed_at
    )
    select nextval('public.messenger_messages_id_seq'), 'EmailMessage',
      jsonb_build_object('to', ${to}::text, 'template', 'welcome', 'tries', 3), 'mail', ${reason}, ${error},
      jsonb_build_array(
        jsonb_build_object('message', ${error}::text, 'class', 'SmtpError', 'code', 'ETIMEDOUT',
          'stack', ${stack}::text, 'attempt', 1, 'at', now() - interval '3 minutes', 'durationMs', 1200),
        jsonb_build_object('message', ${error}::text, 'class', 'SmtpError', 'code', 'ETIMEDOUT',
          'attempt', 2, 'at', now() - interval '2 minutes', 'durationMs', 30123)
      ), 2, 1, now() - interval '5 minutes', now() - n * interval '1 millisecond'
    from generate_series(1, ${count}) as n
    returning id::text`;
  return rows.map(({ id }) => id);
}

/** Makes a dead letter with this payload. */
export async function addDeadLetter(
  { sql }: TestStack,
  payload: unknown,
  given: { error?: string; type?: string } = {},
): Promise<string> {
  const { error = "no route", type = "WebhookMessage" } = given;
  const errors = [{ message: error, class: "Error", attempt: 1, at: new Date().toISOString() }];
  const [row] = await sql<{ id: string }[]>`
    insert into public.messenger_failed_messages (
      id, type, payload, queue, reason, error, errors, created_at, failed_at
    )
    values (
      nextval('public.messenger_messages_id_seq'), ${type}, ${JSON.stringify(payload)}::text::jsonb,
      'default', 'exhausted', ${error}, ${JSON.stringify(errors)}::text::jsonb, now(), now()
    )
    returning id::text`;
  if (!row) throw new Error("the dead letter was not written");
  return row.id;
}

/** How many messages wait, and how many are dead letters. */
export async function countBoth({ sql }: TestStack): Promise<{ waiting: number; dead: number }> {
  const [row] = await sql<[{ waiting: number; dead: number }]>`
    select (select count(*)::int from public.messenger_messages) as waiting,
      (select count(*)::int from public.messenger_failed_messages) as dead`;
  return row;
}
