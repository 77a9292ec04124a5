/** Requests as frontends make them, and what they are answered. */

import type { TestStack } from "./stack.ts";

/** The headers of a user: signed in, unless the options say anonymously. */
export async function asUser(
  stack: TestStack,
  options: Parameters<TestStack["mintUserJwt"]>[0] = {},
): Promise<Record<string, string>> {
  const jwt = await stack.mintUserJwt({ sub: crypto.randomUUID(), ...options });
  return { authorization: `Bearer ${jwt}`, apikey: stack.publishableKey };
}

/** The headers of somebody who has only the publishable key, as supabase-js sends them. */
export function asStranger(stack: TestStack): Record<string, string> {
  return { authorization: `Bearer ${stack.publishableKey}`, apikey: stack.publishableKey };
}

/** Status, code and the first issue's path of a refusal; only the status where it was none. */
export async function refusal(response: Response): Promise<unknown[]> {
  const body: { code?: string; issues?: { path: unknown[] }[] } = await response.json();
  return response.ok ? [response.status] : [response.status, body.code, body.issues?.[0]?.path];
}

/** How many rows a dispatch could have written. */
export async function written(stack: TestStack): Promise<number> {
  const [row] = await stack.sql<{ n: number }[]>`
    select (select count(*) from public.messenger_messages)::int
      + (select count(*) from messenger.idempotency_keys)::int
      + (select count(*) from messenger.rate_limits)::int
      + (select count(*) from public.messenger_schedules)::int as n`;
  return row?.n ?? -1;
}
