/** Messages of type Probe, whose handler tells when it started. */

import type { World } from "./world.ts";

const POLL_MS = 5;
const REST_MS = 50;
const LOST_AFTER_MS = 30_000;

/** The ways in: each dispatches the message `n`. */
export const WAYS = {
  "in SQL": ({ systems: { ours } }: World, n: number): Promise<unknown> =>
    ours.sql`select public.messenger_dispatch('Probe', ${ours.sql.json({ n })})`,
  "over HTTP": async ({ stack }: World, n: number): Promise<unknown> => {
    const response = await fetch(`${stack.url}/functions/v1/dispatch`, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: stack.secretKey },
      body: JSON.stringify({ type: "Probe", payload: { n } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    return text;
  },
} as const;

/** Now, in ms since 1970, as the handlers tell it. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * When the handler of message `n` started, in ms since 1970.
 * @param delayMs how long the message is delayed, in ms
 * @throws Error if it does not start within 30 s of its due time
 */
export async function startOf({ collector }: World, n: number, delayMs = 0): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`message ${n} was not handled`)),
      delayMs + LOST_AFTER_MS,
    );
  });
  return await Promise.race([collector.started(n), late]).finally(() => clearTimeout(timer));
}

/**
 * Waits until no message is left and no tick runs, and a moment longer.
 * @param pollMs interval between two polls, each of which is a transaction
 */
export async function untilIdle(
  { systems: { ours } }: World,
  pollMs: number = POLL_MS,
): Promise<void> {
  for (;;) {
    const [row] = await ours.sql<{ idle: boolean }[]>`
      select not exists (select from public.messenger_messages)
        and not exists (select from public.messenger_ticks where ended_at is null) as idle`;
    if (row?.idle) break;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  await new Promise((resolve) => setTimeout(resolve, REST_MS * (1 + Math.random())));
}
