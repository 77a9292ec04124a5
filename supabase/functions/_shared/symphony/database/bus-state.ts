/** The state of the bus: health, stats, ticks, the action log. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { TransportStatus } from "./outbox-lists.ts";
import { callRpc } from "./rpc.ts";
import { ask, type CappedCount } from "./ask.ts";
import type { ListedQueue } from "./queue-settings.ts";
import type { MessageRates } from "./series-calls.ts";

/** Facts by which the health of the bus is judged. Moments are ISO 8601. */
export interface HealthFacts {
  readonly now: string;
  readonly lastTickAt: string | null;
  readonly oldestReadyAt: string | null;
  readonly deadLettersLastHour: { readonly count: number };
  /** Ticks that were requested after the last one started. */
  readonly ticksNotStarted: number;
  readonly schedulesOverdueSince: string | null;
  readonly schedulesInvalid: number;
  /** Queues that run on workers and have due messages, while no worker serves them; the longest wait first. */
  readonly waitingForWorkers: readonly { readonly queue: string; readonly since: string }[];
  /** Webhook endpoints that were disabled because their calls failed, at most 20; an older schema tells none. */
  readonly webhooksDisabled?: readonly { readonly name: string; readonly reason: string }[];
  /** Transports beside home; an older schema tells none. */
  readonly transports?: readonly TransportStatus[];
  /** Channels of alerts on which nothing arrives, and alerts that cannot be checked. */
  readonly alerts?: { readonly channels: readonly string[]; readonly alerts: readonly string[] };
  /** Queues that hold messages but have no row. */
  readonly strayQueues: readonly string[];
  readonly sequenceIsBehind: boolean;
  /** Whether the queue `default` has its row. */
  readonly defaultQueue: boolean;
  /** The schema's version. */
  readonly version: string;
  readonly installation: Installation;
}

/** The extensions, the cron job and the secrets that the bus needs. */
export interface Installation {
  readonly pgCron: boolean;
  readonly pgNet: boolean;
  readonly vault: boolean;
  readonly cronJob: boolean;
  readonly vaultSecrets: boolean;
  /** Which secret of Vault is wrong, and how; null if none is. */
  readonly vaultProblem?: string | null;
  /** Cron jobs that are not as they have to be. */
  readonly jobs?: readonly { readonly name: string; readonly problem: string }[];
  /** Vault's `symphony_url`. */
  readonly url?: string | null;
  readonly cronSchedule?: string | null;
  readonly lastRun?: {
    readonly at: string | null;
    readonly status: string;
    readonly message: string | null;
  } | null;
  /** Since when the tick's job is there without a run; null if it has run. */
  readonly notRunSince?: string | null;
  readonly lastAnswer?: {
    readonly at: string;
    readonly status: number | null;
    readonly timedOut: boolean;
    readonly error: string | null;
    readonly content: string | null;
  } | null;
}

/** The work of the ticks that ended within a window. */
export interface TickRate {
  /** Length of the window, in seconds. */
  seconds: number;
  ticks: number;
  claimed: number;
  handled: number;
  retried: number;
  failed: number;
}

/** The state of queues, dead letters, schedules and ticks. Moments are ISO 8601. */
export interface BusStats {
  now: string;
  /** At most 200; queues that hold messages come first. */
  queues: ListedQueue[];
  /** Number of queues that are not in `queues`. */
  leftOut: number;
  /** Number of these queues that hold messages. */
  leftOutInUse: number;
  deadLetters: {
    total: CappedCount;
    lastHour: CappedCount;
    /** Of the latest 10,000, the largest 50. */
    groups: { type: string; reason: string; count: number; firstAt: string; lastAt: string }[];
  };
  /** Of the last 5 minutes and the last hour. */
  rates: (MessageRates & { seconds: number })[];
  /** The 50 types of which most messages ran in the last hour. */
  types: (MessageRates & { type: string })[];
  schedules: { enabled: number; disabled: number };
  ticks: { lastAt: string | null; awake: number; rates: TickRate[] };
}

/** A tick in the list. Moments are ISO 8601. */
export interface ListedTick {
  id: string;
  askedAt: string;
  /** null if its request has not arrived. */
  startedAt: string | null;
  heartbeatAt: string | null;
  restedAt: string | null;
  endedAt: string | null;
  report: Record<string, unknown> | null;
  /** Name of a resident worker; null: a tick. */
  worker: string | null;
  /** Queues that a resident worker claims from; null: a tick. */
  queues: string[] | null;
}

/** An operator's change in the action log. */
export interface LoggedAction {
  id: string;
  at: string;
  /** A user's id, or `secret key` and its name. */
  actor: string;
  action: string;
  /** Arguments of the change, without payloads. */
  target: unknown;
  /** Number of changed rows. */
  affected: number;
}

/** Returns the database's clock, in ms since 1970. @throws the errors of `callRpc` */
export async function databaseClock(client: SupabaseClient): Promise<number> {
  return Date.parse(await callRpc<string>(client, "messenger_now", {}, 10_000));
}

/** Collects the facts of health. @throws the errors of `callRpc` */
export function readHealth(client: SupabaseClient): Promise<HealthFacts> {
  return ask(client, "messenger_health");
}

/** Counts what the bus holds. Counts end at 10,000. @throws the errors of `callRpc` */
export function readStats(client: SupabaseClient): Promise<BusStats> {
  return ask(client, "messenger_stats");
}

/**
 * Lists ticks, the latest first.
 * @param page.beforeId `next` of the page before
 * @param page.maxTicks length of a page
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listTicks(
  client: SupabaseClient,
  page: { readonly beforeId?: string | undefined; readonly maxTicks: number },
): Promise<{ ticks: ListedTick[]; next: string | null }> {
  return ask(client, "messenger_list_ticks", page);
}

/**
 * Lists the workers and ticks that give signs of life, workers first.
 * @param page.maxTicks length of the list
 * @returns the only page
 * @throws the errors of `callRpc`
 */
export function listAliveTicks(
  client: SupabaseClient,
  page: { readonly maxTicks: number },
): Promise<{ ticks: ListedTick[]; next: null }> {
  return ask(client, "messenger_list_alive_ticks", page);
}

/**
 * Lists the operators' changes, the latest first.
 * @param page.beforeId `next` of the page before
 * @param page.maxActions length of a page
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listActions(
  client: SupabaseClient,
  page: { readonly beforeId?: string | undefined; readonly maxActions: number },
): Promise<{ actions: LoggedAction[]; next: string | null }> {
  return ask(client, "messenger_list_actions", page);
}

/** The objects of the bus, as the database has them. */
export interface BusObjects {
  readonly version: string;
  /** MD5 of the bodies by qualified name; several where a name is overloaded. */
  readonly routines: Record<string, string[]>;
  readonly relations: string[];
  /** Names of the triggers that are enabled. */
  readonly triggers: string[];
  /** Stamps of the applied migrations, in order; null if the database does not tell. */
  readonly migrations: string[] | null;
  /** Foreign keys of the project's own tables that keep rows of the bus from being deleted. */
  readonly references: Reference[];
}

/** A foreign key on a table of the bus, as the database has it. */
export interface Reference {
  readonly name: string;
  readonly table: string;
  /** The table of the bus. */
  readonly on: string;
  /** The text of Postgres, such as `FOREIGN KEY (message_id) REFERENCES messenger_messages(id)`. */
  readonly definition: string;
}

/** Lists the objects of the bus. @throws the errors of `callRpc` */
export function readObjects(client: SupabaseClient): Promise<BusObjects> {
  return callRpc(client, "messenger_objects", {}, 10_000);
}
