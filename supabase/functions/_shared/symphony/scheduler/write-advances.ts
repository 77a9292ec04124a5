/** Writes the runs of schedules, so that one that the database refuses or takes too long over delays no other. */

import { ConflictError } from "../message/errors.ts";
import type { Logger } from "../runtime/log.ts";
import { isOutboxFull, TransportError } from "../transport/transport.ts";
import type { Advance } from "./plan.ts";
import type { AdvanceResult, ScheduleStore } from "./store.ts";

/** Number of tries of a call. After that the lease ends, and the next tick takes over. */
const TRIES = 3;
/** After this time, in ms, a schedule tries a full outbox again. */
const NO_ROOM_MS = 30_000;
const PAUSE_MS = 100;

/** The part that was written. */
export interface Written extends AdvanceResult {
  /** Schedules that the database refused. */
  readonly refused: number;
  /** Whether runs were left that are due. */
  readonly isPart: boolean;
}

type Part = AdvanceResult & Partial<Written>;

/**
 * Writes what a tick has planned for the schedules that it claimed under a token. If the database refuses one of them,
 * each is written alone; if it takes too long over them, smaller and smaller parts are.
 * @throws TransportError if the database stayed out of reach
 */
export async function writeAdvances(
  token: string,
  advances: readonly Advance[],
  options: { readonly store: ScheduleStore; readonly log: Logger },
): Promise<Written> {
  const write = (some: readonly Advance[]) => persist(() => options.store.advance(token, some));
  const total = { dispatched: 0, skipped: 0, stale: [] as string[], refused: 0, isPart: false };
  const waiting: (readonly Advance[])[] = [advances];
  for (let some = waiting.pop(); some; some = waiting.pop()) {
    const [one, ...others] = some;
    if (!one) continue;
    const part: Part | null = others.length === 0
      ? await writeOne(one, write, options.log)
      : await write(some).catch((error) => {
        if (isPassing(error) && !isOutboxFull(error) && !isTooMuch(error)) throw error;
        const size = isTooMuch(error) ? Math.ceil(some.length / 2) : 1;
        const parts = Array.from(
          { length: Math.ceil(some.length / size) },
          (_, index) => some.slice(index * size, (index + 1) * size),
        );
        // The first part is the next that is taken.
        waiting.push(...parts.toReversed());
        return null;
      });
    if (!part) continue;
    total.dispatched += part.dispatched;
    total.skipped += part.skipped;
    total.stale.push(...part.stale);
    total.refused += part.refused ?? 0;
    total.isPart ||= part.isPart === true;
  }
  return total;
}

/** Writes what is planned for one schedule; if the database refuses that, what becomes of the schedule instead. */
async function writeOne(
  one: Advance,
  write: (some: readonly Advance[]) => Promise<AdvanceResult>,
  log: Logger,
): Promise<Part> {
  try {
    return await writeFitting(one, write);
  } catch (error) {
    if (isOutboxFull(error) || isTooMuch(error)) {
      const later = putOffBy(one, error);
      report(later, log);
      return await write([later]);
    }
    if (isPassing(error)) throw error;
    // Middleware's key may be in use by another message for now; later runs may pass.
    const isConflict = error instanceof ConflictError;
    const refused = isConflict ? withoutMessages(one, error) : refusedBy(one, error);
    report(refused, log);
    return { ...await write([refused]), refused: 1 };
  }
}

/** Writes one schedule's runs; half of them if the database takes too long over them, down to one. The rest is due again. */
async function writeFitting(
  advance: Advance,
  write: (some: readonly Advance[]) => Promise<AdvanceResult>,
): Promise<Part> {
  for (let one = advance;;) {
    try {
      return { ...await write([one]), isPart: one !== advance };
    } catch (error) {
      const next = one.runs[Math.ceil(one.runs.length / 2)];
      if (!isTooMuch(error) || next === undefined) throw error;
      const runs = one.runs.slice(0, Math.ceil(one.runs.length / 2));
      one = { ...one, runs, plan: { ...one.plan, nextRunAt: next.occurrence, disabled: null } };
    }
  }
}

/** Tells whether a call failed because it took too much time or memory. */
export function isTooMuch(error: unknown): error is TransportError {
  return error instanceof TransportError && error.fault === "too_much";
}

/** Tells whether the same call may pass later, because the database does not refuse its content. */
function isPassing(error: unknown): boolean {
  return error instanceof TransportError ? error.fault !== "data" : !(error instanceof RangeError);
}

/** Leaves the runs for later: their transport's outbox is full, or the database takes too long over them. */
function putOffBy(advance: Advance, { message: reason }: Error): Advance {
  const { schedule, plan, runs } = advance;
  const nextRunAt = runs[0]?.occurrence ?? plan.nextRunAt;
  const rest = { runs: [], missed: null, note: null, nextRunAt, disabled: null };
  return { schedule, plan: rest, runs: [], failing: null, putOff: { ms: NO_ROOM_MS, reason } };
}

/** Records the runs as failed, and lets the schedule continue. */
function withoutMessages(advance: Advance, error: Error): Advance {
  const runs = advance.runs.map(({ occurrence, delayMs, failed = error.message }) => ({
    occurrence,
    delayMs,
    failed,
  }));
  return { ...advance, runs };
}

function refusedBy({ schedule }: Advance, error: unknown): Advance {
  const reason = `the database refused: ${error instanceof Error ? error.message : error}`;
  const disabled = { by: "invalid", reason } as const;
  const plan = { runs: [], missed: null, note: null, nextRunAt: null, disabled };
  return { schedule, plan, runs: [], failing: null };
}

/** Repeats a call whose response may be lost. Repeating either call is harmless. One that took too long is not repeated. */
export async function persist<Answer>(
  call: (repeated: boolean) => Promise<Answer>,
): Promise<Answer> {
  for (let tried = 1;; tried++) {
    try {
      return await call(tried > 1);
    } catch (error) {
      if (!(error instanceof TransportError) || !error.retryable || tried >= TRIES) throw error;
      if (isOutboxFull(error) || isTooMuch(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** tried));
  }
}

/** Logs what became of a schedule. */
export function report({ schedule: { id, name }, plan, runs, putOff }: Advance, log: Logger): void {
  const { disabled } = plan;
  const failed = runs.find((run) => run.failed !== undefined)?.failed;
  if (disabled?.by === "invalid") {
    log.error("schedule_invalid", { id, name, reason: disabled.reason });
  }
  if (putOff) {
    log.warn("schedule_put_off", { id, name, retryInMs: putOff.ms, reason: putOff.reason });
  }
  if (failed !== undefined) log.error("schedule_run_failed", { id, name, reason: failed });
  if (disabled?.by === "finished") {
    log.info("schedule_finished", { id, name, reason: disabled.reason });
  }
}
