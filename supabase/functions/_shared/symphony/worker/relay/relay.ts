/**
 * A relay publishes the outbox of one transport: it leases a shard, publishes a batch, and tells the database what the
 * engine has confirmed. One that is killed in between has published rows that the next relay publishes again, marked as
 * repeated; the receiver drops those that it has handled.
 */

import type { OutboxCalls } from "../../database/outbox-calls.ts";
import type { Logger } from "../../runtime/log.ts";
import type { EngineSender } from "../../transport/engine.ts";
import { pause, repeating } from "../calls.ts";
import { publishBatch } from "./publish.ts";

/** Length of the lease of a shard, in ms. */
const LEASE_MS = 30_000;
/** No wave begins after this part of the lease: what is published late would come in beside another relay's. */
const LEASE_SHARE = 0.5;
/** How long one call waits for something to publish, in ms. */
const WAIT_MS = 500;
/** Number of times that a claim is repeated at the end of the run: the shard of one that was lost would wait. */
const LAST_TRIES = 2;
/** Pause after a call that failed, and after one that found nothing sooner than it may wait. */
const PAUSE_MS = 100;

/** The parts of a relay. */
export interface RelayParts {
  /** Name of the transport. */
  readonly name: string;
  readonly engine: Pick<EngineSender, "publish">;
  readonly outbox: Pick<OutboxCalls, "claim" | "finish">;
  readonly log: Logger;
}

/** The life of the run that a relay is a part of. */
export interface RelayLife {
  /** Nothing more comes in through this run: the relay ends when nothing is due. */
  readonly ending: AbortSignal;
  /** Aborted when the relay has to stop at once. */
  readonly stop: AbortSignal;
  /** On the clock of performance.now(): no batch begins later. */
  readonly endsAt: number;
}

/**
 * Publishes what falls due until the run ends. Never throws.
 * @returns the number of publications that the engine has confirmed
 */
export async function runRelay(parts: RelayParts, life: RelayLife): Promise<number> {
  let sent = 0;
  while (!life.stop.aborted && performance.now() < life.endsAt) {
    const isLast = life.ending.aborted;
    const startedAt = performance.now();
    const published = await publishNext(parts, isLast ? 0 : WAIT_MS, life);
    sent += published ?? 0;
    if (published !== null) continue;
    if (isLast) break;
    // A shard that another relay has just taken, or an error: both are over at once.
    if (performance.now() - startedAt < WAIT_MS / 2) await pause(PAUSE_MS);
  }
  return sent;
}

/** @returns the number of confirmed publications of the next batch; null if there was none */
async function publishNext(
  { name, engine, outbox, log }: RelayParts,
  waitMs: number,
  { ending, stop, endsAt }: RelayLife,
): Promise<number | null> {
  const token = crypto.randomUUID();
  let askedAt = performance.now();
  let triesLeft = LAST_TRIES;
  const claim = () => {
    askedAt = performance.now();
    return outbox.claim(token, LEASE_MS, waitMs);
  };
  const mayRepeat = () =>
    !stop.aborted && performance.now() < endsAt && (!ending.aborted || triesLeft-- > 0);
  try {
    const claimed = await repeating(claim, { keepTrying: mayRepeat, log });
    const { shard, origin = "", messages } = claimed.answer;
    if (shard === undefined) return null;
    const publishesUntil = askedAt + LEASE_MS * LEASE_SHARE;
    const mayStart = () => !stop.aborted && performance.now() < publishesUntil;
    const report = await publishBatch(engine, messages, origin, mayStart);
    // Without it the shard waits until the lease ends, and its batch is published again.
    const keepTrying = () => !stop.aborted && performance.now() < askedAt + LEASE_MS;
    const finish = () => outbox.finish(token, shard, report);
    const { answer: { stale }, repeated } = await repeating(finish, { keepTrying, log });
    const { sent, refused, failure } = report;
    const counts = { transport: name, shard, sent: sent.length, refused: refused.length };
    if (failure !== null) log.warn("transport_away", { ...counts, error: failure });
    else if (refused.length > 0) log.error("publication_refused", { ...counts, ...refused[0] });
    // A report that was written, and whose answer was lost, has ended the lease.
    else if (stale && !repeated) log.warn("relay_was_late", counts);
    else log.debug("published", counts);
    return sent.length;
  } catch (error) {
    log.warn("relay_failed", { transport: name, error: String(error) });
    return null;
  }
}
