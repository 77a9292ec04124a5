/** Resident workers in processes of their own, as the command starts them. */

import { entryOf } from "../../cli/worker/entry.ts";
import { eventually, type TestStack } from "./stack.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

/** The folder of the messages that these workers run. */
export const HEAVY_MESSAGES = new URL("./heavy_messages", import.meta.url).pathname;
/** Length of their leases, in ms. */
export const LEASE_MS = 2_000;

/** A process with a worker in it. */
export interface Running {
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  kill(signal: Deno.Signal): void;
}

/** A worker as the database lists it. */
export interface WorkerRow {
  readonly worker: string;
  readonly queues: string[];
  readonly ended_at: Date | null;
  readonly report: unknown;
}

/** The workers that have registered so far, in order. */
export async function workers(stack: TestStack): Promise<WorkerRow[]> {
  return await stack.sql<WorkerRow[]>`
    select worker, queues, ended_at, report from public.messenger_ticks
    where worker is not null order by id`;
}

/** Starts `symphony-messenger worker`, and waits until its worker is registered. */
export function startCommand(stack: TestStack, ...flags: string[]): Promise<Running> {
  const messages = ["--messages", `${HEAVY_MESSAGES}/mod.ts`];
  return start(stack, ["run", "-A", "cli/main.ts", "worker", ...messages, ...flags]);
}

/**
 * Starts a worker without the command that watches over it, and waits until it is registered. It holds few messages
 * at once: those of a worker that was killed run one by one.
 */
export function startAlone(stack: TestStack, graceMs: number): Promise<Running> {
  const options = { name: "alone", graceMs, concurrency: 5 };
  const args = entryOf({ root: ROOT, messages: `${HEAVY_MESSAGES}/mod.ts`, options });
  return start(stack, args, { SYMPHONY_WORKER_BATCH_SIZE: "8" });
}

async function start(
  stack: TestStack,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const before = (await workers(stack)).length;
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: {
      SUPABASE_URL: stack.url,
      SUPABASE_SECRET_KEY: stack.secretKey,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.secretKey }),
      SYMPHONY_WORKER_LEASE_MS: String(LEASE_MS),
      ...env,
    },
    cwd: ROOT,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const ended = process.status.then(({ code }) => {
    throw new Error(`the worker ended with ${code} before it was registered`);
  });
  ended.catch(() => {});
  const registered = eventually(() => workers(stack), (rows) => rows.length > before);
  await Promise.race([registered, ended]);
  return process;
}
