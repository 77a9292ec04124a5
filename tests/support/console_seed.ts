/** A bus as it is after a busy day with some trouble, for screenshots of the console. */

import type postgres from "postgres";
import { addDeadLetter, addDeadMails, addDurable, NO_MAILBOX } from "./console_letters.ts";
import { seedTransports } from "./console_outbox.ts";
import type { TestStack } from "./stack.ts";

/** The objects whose pages are shown. */
export interface Seeded {
  readonly message: string;
  readonly deadLetter: string;
  readonly toBeMended: string;
  readonly schedule: string;
  readonly batch: string;
}

/** Fills every page. */
export async function seedConsole(sql: postgres.Sql): Promise<Seeded> {
  // The helpers of tests use the connection alone.
  const stack = { sql } as TestStack;
  await sql`insert into public.messenger_queues (name, paused, concurrency, rate_limit, rate_period_ms) values
    ('mail', false, 20, 100, 60000), ('billing', true, 5, null, 1000), ('reports', false, null, null, 1000)
    on conflict (name) do nothing`;
  await seedDeadLetters(stack);
  const [deadLetter = ""] = await addDeadMails(stack, 3, { error: NO_MAILBOX });
  const toBeMended = await addDeadLetter(
    stack,
    { to: "ada@", template: "newsletter", tries: 3 },
    { type: "EmailMessage", error: "to: Invalid email address" },
  );
  const { parent } = await addDurable(stack);
  await seedMessages(sql);
  await seedSeries(sql);
  const schedule = await seedSchedules(sql);
  const batch = await seedBatches(sql);
  await seedRecords(sql);
  await seedAlerts(sql);
  await seedWebhooks(sql);
  await seedTransports(sql);
  return { message: parent, deadLetter, toBeMended, schedule, batch };
}

async function seedDeadLetters(stack: TestStack): Promise<void> {
  await addDeadMails(stack, 25_000);
  await addDeadMails(stack, 12, { error: "429 Too Many Requests", reason: "exhausted" });
  await addDeadMails(stack, 2, { error: "The worker ended without a word", reason: "crashed" });
}

async function seedMessages(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.messenger_messages (type, queue, payload, available_at, created_at, attempts, errors, stamps)
    select (array['EmailMessage', 'WebhookMessage'])[1 + n % 2], (array['mail', 'billing', 'reports'])[1 + n % 3],
      '{"to":"ada@example.org"}', now() + (n - 20) * interval '90 seconds', now() - n * interval '40 seconds', n % 4,
      case when n % 4 > 0 then '[{"message":"connect ETIMEDOUT 203.0.113.7:25"}]'::jsonb else '[]' end,
      '{"user":{"id":"6b1c7f9e-5d0f-4c3a-9c57-2b8d4f1e7a10"}}'
    from generate_series(1, 60) n`;
}

async function seedSeries(sql: postgres.Sql): Promise<void> {
  await sql`insert into messenger.series (queue, type) values
    ('', ''), ('mail', 'EmailMessage'), ('', 'EmailMessage'), ('', 'WebhookMessage') on conflict do nothing`;
  await sql`
    insert into messenger.series_points (at, series_id, handled, retried, failed, latency, runs)
    select date_trunc('minute', now()) - m * interval '1 minute', s.id, h.done, h.done / 12, h.done / 60,
      array[0, h.done / 8, h.done / 4, h.done / 3, h.done / 6, h.done / 10, h.done / 40, h.done / 90],
      array[0, 0, h.done / 9, h.done / 5, h.done / 3, h.done / 4, h.done / 10, h.done / 30, h.done / 80]
    from messenger.series s, generate_series(1, 90) m, lateral (
      select (900 + 500 * sin(m / 9.0 + s.id) + 200 * sin(m * 1.7))::integer as done
    ) h
    on conflict do nothing`;
  await sql`
    insert into messenger.backlog_points (at, queue, due, delayed, processing, oldest_s)
    select date_trunc('minute', now()) - m * interval '1 minute', q.name,
      greatest(0, (60 + 50 * sin(m / 11.0 + q.n) + 20 * sin(m * 1.3))::integer), 40 + m % 7, 12 + m % 5,
      greatest(0, (90 + 80 * sin(m / 11.0 + q.n))::integer)
    from (values ('mail', 1), ('billing', 2), ('reports', 3), ('', 4)) as q (name, n), generate_series(1, 90) m
    on conflict do nothing`;
}

async function seedSchedules(sql: postgres.Sql): Promise<string> {
  await sql`
    insert into public.messenger_schedules
      (name, message_type, payload, schedule_type, cron, interval_ms, timezone, next_run_at, enabled, disabled_by,
       disabled_reason)
    values
      ('daily digest', 'EmailMessage', '{"to":"ada@example.org","template":"digest"}', 'cron', '0 9 * * 1-5', null,
       'Europe/Berlin', date_trunc('day', now()) + interval '1 day 8 hours', true, null, null),
      ('heartbeat', 'WebhookMessage', '{"url":"https://example.org"}', 'interval', null, 600000, 'UTC',
       now() + interval '4 minutes', true, null, null),
      ('hourly report', 'WebhookMessage', '{"url":"https://example.org"}', 'cron', '15 * * * *', null, 'UTC',
       date_trunc('hour', now()) + interval '75 minutes', true, null, null),
      ('clean up', 'WebhookMessage', '{"url":"https://example.org"}', 'cron', '0 0,6,12,18 * * *', null, 'UTC',
       date_trunc('day', now()) + interval '1 day', true, null, null),
      ('newsletter', 'EmailMessage', '{"to":"ada@example.org","template":"digest"}', 'cron', '0 12 1 * *', null,
       'Asia/Tokyo', null, false, 'pause', 'Until the new template is there')`;
  await sql`
    insert into public.messenger_schedule_runs
      (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at, finished_at)
    select s.id, now() - n * interval '1 day', 13 - n, 1000 + n + s.id * 100,
      case when n = 2 then 'failed' when n = 5 then 'skipped' else 'handled' end,
      case when n = 2 then 'connect ETIMEDOUT 203.0.113.7:25' when n = 5 then 'overlap: the run before is not done' end,
      now() - n * interval '1 day' + interval '1 second', now() - n * interval '1 day' + interval '3 seconds'
    from public.messenger_schedules s, generate_series(1, 12) n`;
  const [row] = await sql<{ id: string }[]>`
    select id::text from public.messenger_schedules where name = 'daily digest'`;
  return row?.id ?? "";
}

async function seedBatches(sql: postgres.Sql): Promise<string> {
  const messages = Array.from({ length: 5 }, (_, n) => ({
    type: "WebhookMessage",
    payload: { url: `https://example.org/${n}` },
    delay_ms: 3_600_000 * n,
  }));
  for (const name of ["import of 2026-11", "reports of the week"]) {
    await sql`select messenger_write_batch(${sql.json({ name })}, ${sql.json(messages)})`;
  }
  const [row] = await sql<{ id: string }[]>`
    select id::text from public.messenger_batches order by id desc limit 1`;
  return row?.id ?? "";
}

async function seedRecords(sql: postgres.Sql): Promise<void> {
  await sql`select public.messenger_emit('paid:7', '{"amount":1250}'), public.messenger_emit('paid:8', '{"amount":90}')`;
  await sql`
    insert into public.messenger_ticks
      (asked_at, started_at, heartbeat_at, rested_at, ended_at, report, worker, queues)
    values
      (now() - interval '2 hours', now() - interval '2 hours', now(), now() - interval '2 hours', null,
       '{"claimed":4200,"handled":4180,"retried":15,"failed":5}', 'render-1', array['reports', 'mail']),
      (now() - interval '3 minutes', now() - interval '3 minutes', now() - interval '2 minutes', null,
       now() - interval '2 minutes', '{"claimed":310,"handled":300,"retried":8,"failed":2}', null, null),
      (now() - interval '30 seconds', now() - interval '29 seconds', now(), null, null,
       '{"claimed":120,"handled":118,"retried":2,"failed":0}', null, null)`;
  await sql`
    insert into public.messenger_actions (at, actor, action, target, affected) values
      (now() - interval '4 minutes', 'secret key default', 'set_queue', '{"name":"billing","settings":{"paused":true}}', 1),
      (now() - interval '9 minutes', 'ada', 'redrive', '{"type":"EmailMessage","error":"timeout"}', 5000),
      (now() - interval '2 hours', 'ada', 'pause_schedule', '{"name":"newsletter"}', 1)`;
}

async function seedAlerts(sql: postgres.Sql): Promise<void> {
  await sql`select messenger_set_alert_channel('ops', '{"kind":"slack","url":"https://hooks.example/T0/B0"}')`;
  await sql`update public.messenger_alerts set checked_at = now() - interval '20 seconds', since = now() - interval '3 hours'`;
  await sql`
    update public.messenger_alerts
    set state = 'firing', value = 5017, subject = 'EmailMessage', since = now() - interval '12 minutes',
      told_at = now() - interval '12 minutes'
    where name = 'dead-letters'`;
  await sql`
    insert into public.messenger_alert_deliveries (alert, channel, event, body, status, status_code, attempts, created_at)
    select 'dead-letters', 'ops', case when n % 2 = 1 then 'firing' else 'resolved' end,
      '{"type":"messenger.alert.firing","data":{"alert":"dead-letters"}}',
      case when n = 3 then 'failed' else 'delivered' end, case when n = 3 then 410 else 200 end, 1,
      now() - n * interval '12 minutes'
    from generate_series(1, 5) n`;
}

async function seedWebhooks(sql: postgres.Sql): Promise<void> {
  await sql`
    insert into public.messenger_webhook_endpoints
      (name, url, events, secret, rate_limit, failing_since, disabled_by, disabled_at, disabled_reason)
    values
      ('acme', 'https://acme.example/hooks', '{order.*,user.made}', 'webhook_acme', 10, null, null, null, null),
      ('globex', 'https://globex.example/in', '{*}', 'webhook_globex', null, now() - interval '3 hours', null, null, null),
      ('initech', 'https://initech.example/w', '{order.paid}', 'webhook_initech', null, now() - interval '6 days',
       'failures', now() - interval '1 day', 'Every call has failed for 5 days')`;
  await sql`
    insert into public.messenger_webhook_deliveries
      (endpoint, event_id, event, message_id, attempt, delivered, status, duration_ms, answer, error, sent_at)
    select case when n % 3 = 0 then 'globex' else 'acme' end, n, 'order.paid', 5000 + n, 1, n % 3 > 0,
      case when n % 3 = 0 then 503 else 200 end, 40 + n * 7, case when n % 3 = 0 then 'try later' else 'ok' end,
      case when n % 3 = 0 then 'HTTP 503' end, now() - (15 - n) * interval '70 seconds'
    from generate_series(1, 14) n`;
}
