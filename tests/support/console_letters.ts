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

/**
 * Makes a message that has done a step, sleeps, waits for an event, and waits for two others.
 * @returns its id, and that of the first other one
 */
export async function addDurable({ sql }: TestStack): Promise<{ parent: string; child: string }> {
  const [row] = await sql<{ id: string }[]>`
    select messenger_dispatch('WebhookMessage', '{"url":"https://example.org"}',
      delay => interval '1 hour')::text as id`;
  const parent = row?.id ?? "";
  await sql`
    insert into public.messenger_steps (message_id, handler, name, key, kind, status, result, until, details)
    values
      (${parent}, 'handler', 'charge', 'order 7', 'step', 'done', '{"charged":true,"cents":1900}', null, null),
      (${parent}, 'handler', 'cool down', '', 'sleep', 'done', null, now() - interval '1 minute', null),
      (${parent}, 'handler', 'approval', '', 'wait', 'pending', null, now() + interval '2 days',
        '{"keys":["order 7 approved"]}')`;
  await sql`
    select messenger_write_batch(
      jsonb_build_object('name', 'receipts', 'keeps_results', true, 'parent_id', ${parent}::bigint),
      '[{"type":"EmailMessage","payload":{"to":"a@example.org","template":"welcome"}},
        {"type":"WebhookMessage","payload":{"url":"x"}}]'
    )`;
  const [first] = await sql<{ id: string }[]>`
    select min(id)::text as id from public.messenger_messages where id <> ${parent}`;
  return { parent, child: first?.id ?? "" };
}

/** How many messages wait, and how many are dead letters. */
export async function countBoth({ sql }: TestStack): Promise<{ waiting: number; dead: number }> {
  const [row] = await sql<[{ waiting: number; dead: number }]>`
    select (select count(*)::int from public.messenger_messages) as waiting,
      (select count(*)::int from public.messenger_failed_messages) as dead`;
  return row;
}
