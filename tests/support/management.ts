/** Requests to the management API of a test's stack. */

import type { TestStack } from "./stack.ts";

/** A response of the API. */
export interface Answered {
  readonly status: number;
  // deno-lint-ignore no-explicit-any -- whatever it is, the tests say what it has to be
  readonly body: any;
  readonly headers: Headers;
}

/** Asks the management API; the secret key goes along unless headers are given. */
export async function ask(
  stack: TestStack,
  method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT",
  path: string,
  body?: unknown,
  headers: Record<string, string> = { apikey: stack.secretKey },
): Promise<Answered> {
  const response = await fetch(`${stack.url}/functions/v1/messenger${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    headers: response.headers,
  };
}

/** A refusal: its status, its code, and the place of the first issue. */
export function refusal({ status, body }: Answered): unknown[] {
  return [status, body.code, body.issues?.[0]?.path];
}

/** Adds a dead letter and returns its id. */
export async function addFailed(
  { sql }: TestStack,
  given: {
    type?: string;
    queue?: string;
    reason?: string;
    error?: string | null;
    failedAt?: string;
    payload?: string;
  } = {},
): Promise<string> {
  const { type = "Note", queue = "default", reason = "exhausted", error = "no route" } = given;
  const { failedAt = new Date().toISOString(), payload = '{"text":"x"}' } = given;
  const [row] = await sql<{ id: string }[]>`
    insert into public.messenger_failed_messages
      (id, type, payload, queue, reason, error, errors, created_at, failed_at)
    values (
      nextval('public.messenger_messages_id_seq'), ${type}, ${payload}::text::jsonb, ${queue},
      ${reason}, ${error}, '[{"message":"no route","stack":"at x"}]', ${failedAt}, ${failedAt}
    )
    returning id::text`;
  return row?.id ?? "";
}

/** The action log, oldest first: actor, action, affected. */
export async function actions({ sql }: TestStack): Promise<unknown[][]> {
  const rows = await sql<{ actor: string; action: string; affected: string }[]>`
    select actor, action, affected::text from public.messenger_actions order by id`;
  return rows.map(({ actor, action, affected }) => [actor, action, Number(affected)]);
}

/** Empties what `clear` of the stack leaves: schedules, the action log, alerts, the queues' settings. */
export async function clearManaged({ sql }: TestStack): Promise<void> {
  await sql`truncate public.messenger_actions, public.messenger_schedules,
    public.messenger_schedule_runs restart identity`;
  await sql`truncate public.messenger_alert_deliveries restart identity`;
  await sql`delete from public.messenger_alerts`;
  await sql`delete from public.messenger_alert_channels`;
  await sql`delete from public.messenger_queues where name <> 'default'`;
  await sql`update public.messenger_queues set paused = false, concurrency = null`;
}

/** A queue's row; undefined if there is none. */
export async function queueRow({ sql }: TestStack, name: string) {
  const [row] = await sql`select * from public.messenger_queues where name = ${name}`;
  return row;
}
