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
/** No wave begins after this part of the lease: the next relay would publish the same messages at the same time. */
const LEASE_SHARE = 0.5;
/** How long one call waits for something to publish, in ms. */
const WAIT_MS = 500;
/** Most repetitions of a claim at the end of the run. Without one, the shard of a lost claim waits until its lease ends. */
const LAST_TRIES = 2;
/** Pause after a call that failed, or that returned nothing before its time to wait was over, in ms. */
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
  /** Aborted when home's worker has ended: the relay publishes what is due, and ends. */
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
    // The call returned early: another relay has just taken the shard, or the call failed.
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
    // Without a report the shard waits until the lease ends, and its batch is published again.
    const keepTrying = () => !stop.aborted && performance.now() < askedAt + LEASE_MS;
    const finish = () => outbox.finish(token, shard, report);
    const { answer: { stale }, repeated } = await repeating(finish, { keepTrying, log });
    const { sent, refused, failure } = report;
    const counts = { transport: name, shard, sent: sent.length, refused: refused.length };
    if (failure !== null) log.warn("transport_away", { ...counts, error: failure });
    else if (refused.length > 0) log.error("publication_refused", { ...counts, ...refused[0] });
    // If the first report was written and its answer was lost, it has ended the lease: the repeated one is stale.
    else if (stale && !repeated) log.warn("relay_was_late", counts);
    else log.debug("published", counts);
    return sent.length;
  } catch (error) {
    log.warn("relay_failed", { transport: name, error: String(error) });
    return null;
  }
}
