/** Redriving dead letters from code: what messenger_redrive does, with an edited payload checked first. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus.ts";
import { NotFoundError } from "../errors.ts";
import { callRpc } from "../transport/rpc.ts";

/** Which dead letters, and how; the names and meanings are those of the SQL function's arguments. */
export interface RedriveOptions {
  readonly ids?: readonly string[];
  readonly type?: string;
  readonly queue?: string;
  readonly reason?: string;
  /** Part of the last error's text. */
  readonly error?: string;
  readonly failedFrom?: Date;
  readonly failedUntil?: Date;
  readonly maxMessages?: number;
  /** So many a second come due; all at once where absent. */
  readonly perSecond?: number;
  /** Another queue than the one they came from. */
  readonly toQueue?: string;
  /** Takes the place of the payload of one message, named by its id. */
  readonly payload?: unknown;
  /** Only counts. */
  readonly dryRun?: boolean;
}

/** What a redrive did. */
export interface RedriveResult {
  readonly matched: number;
  readonly redriven: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Puts dead letters back into their queues, with fresh retries and their history.
 * @throws InvalidPayloadError or UnknownMessageTypeError if an edited payload does not fit; the dead
 * letter stays where it is
 * @throws RangeError that names the option which is wrong; NotFoundError if there is no such dead letter
 * @throws TransportError if the database did not answer
 */
export async function redrive(
  supabase: SupabaseClient,
  bus: MessageBus,
  options: RedriveOptions,
): Promise<RedriveResult> {
  const { ids, type, queue, reason, error, failedFrom, failedUntil, maxMessages } = options;
  const { perSecond, toQueue, payload, dryRun } = options;
  const edited = payload === undefined ? {} : { payload: await checked(supabase, bus, options) };
  return await callRpc<RedriveResult>(supabase, "messenger_redrive", {
    ids,
    type,
    queue,
    reason,
    error,
    failed_from: failedFrom,
    failed_until: failedUntil,
    max_messages: maxMessages,
    per_second: perSecond,
    to_queue: toQueue,
    dry_run: dryRun,
    ...edited,
  }, TIMEOUT_MS);
}

async function checked(
  supabase: SupabaseClient,
  bus: MessageBus,
  { ids = [], payload }: RedriveOptions,
): Promise<unknown> {
  const [id] = ids;
  if (id === undefined || ids.length > 1) {
    throw new RangeError("payload: an edited payload goes with the id of one message");
  }
  const deadLetter = await callRpc<{ type: string } | null>(
    supabase,
    "messenger_show_failed",
    { id },
    TIMEOUT_MS,
  );
  if (!deadLetter) throw new NotFoundError(`ids: there is no dead letter ${id}`);
  return (await bus.prepare({ type: deadLetter.type, payload })).payload;
}
