/** Progress that handlers report, and steps that run for long: collected for a second, and written in one call. */

import type { Envelope } from "../../message/envelope.ts";
import { showValue } from "../../runtime/inspect.ts";
import { isStorable } from "../../runtime/json.ts";
import type { Logger } from "../../runtime/log.ts";
import { RunningSteps } from "../durable/running-steps.ts";
import type { ProgressReport } from "../../transport/receiver.ts";
import type { Transport } from "../../transport/transport.ts";
import { within } from "../../runtime/within.ts";

/** Shortest interval between two writes. One write holds the reports of all messages of the process. */
const WRITE_EVERY_MS = 1_000;
/** Longest note, in characters. */
const LONGEST_NOTE = 200;
/** Longest time that an outcome waits for the progress that is written before it. */
const LONGEST_WAIT_MS = 2_000;
/** Timeout of a write. The transport's own timeout is no longer than this. */
const WRITE_TIMEOUT_MS = 10_000;

type Running = Pick<Envelope, "id" | "leaseToken">;

/**
 * Checks a report.
 * @throws RangeError that names the argument which is wrong
 */
export function checkProgress(value: number, note: string | undefined): void {
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) {
    throw new RangeError(`progress: value: has to be from 0 to 1; got ${showValue(value)}`);
  }
  if (note !== undefined && !isNote(note)) {
    throw new RangeError(
      `progress: note: has to be text of at most ${LONGEST_NOTE} characters, without U+0000 and ` +
        "halves of surrogate pairs",
    );
  }
}

function isNote(note: unknown): boolean {
  return typeof note === "string" && [...note].length <= LONGEST_NOTE && isStorable(note);
}

/** Writes progress. A report that cannot be written is dropped and logged. */
export class ProgressReporter {
  /** The durable steps that run: one that runs for a second is reported. */
  readonly steps = new RunningSteps(({ envelope: { id, leaseToken } }, step) =>
    this.#add({ ...this.#pending.get(id), id, leaseToken, step })
  );
  /** The latest report of each message, if it is not yet written. */
  readonly #pending = new Map<string, ProgressReport>();
  /** Running messages whose progress was written. */
  readonly #written = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  /** The write that follows it, if there is one. */
  #next: Promise<void> | undefined;
  #writtenAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: { readonly transport: Transport; readonly log: Logger }) {}

  /** Takes a report. A later report of the same message replaces it. */
  report({ id, leaseToken }: Running, value: number, note?: string): void {
    const step = this.#pending.get(id)?.step;
    this.#add({
      id,
      leaseToken,
      value,
      ...(note !== undefined && { note }),
      ...(step && { step }),
    });
  }

  #add(report: ProgressReport): void {
    this.#pending.set(report.id, report);
    const waitMs = Math.max(0, this.#writtenAt + WRITE_EVERY_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#write(), waitMs);
  }

  /**
   * An attempt has ended. Its last report is written before its outcome, unless the message was handled.
   * @returns whether any progress of it was written; at once for a message without reports, as most are
   */
  end(running: Running, isHandled: boolean): boolean | Promise<boolean> {
    return this.hasReports(running) ? this.#end(running.id, isHandled) : false;
  }

  /** Whether any progress of a running message waits to be written, or was written. */
  hasReports({ id }: Running): boolean {
    return this.#pending.has(id) || this.#written.has(id);
  }

  async #end(id: string, isHandled: boolean): Promise<boolean> {
    // A step that runs no longer is not told.
    if (isHandled || this.#pending.get(id)?.value === undefined) this.#pending.delete(id);
    if (this.#pending.size === 0) this.#stopTimer();
    const written = this.#pending.has(id) ? this.#write() : this.#writing;
    const late = () => new Error("progress is not written in time");
    await within(written, LONGEST_WAIT_MS, late).catch((error) => this.#failed(error));
    this.#pending.delete(id);
    return this.#written.delete(id);
  }

  /** Writes all pending reports once the write before is done. No two writes are ever under way. */
  #write(): Promise<void> {
    this.#stopTimer();
    this.#next ??= this.#writing.then(() => this.#send());
    return this.#writing = this.#next;
  }

  async #send(): Promise<void> {
    this.#next = undefined;
    const reports = [...this.#pending.values()];
    this.#pending.clear();
    this.#writtenAt = performance.now();
    if (reports.length === 0) return;
    for (const { id } of reports) this.#written.add(id);
    const late = () => new Error("the transport does not answer");
    try {
      await within(this.parts.transport.reportProgress(reports), WRITE_TIMEOUT_MS, late);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.parts.log.warn("progress_failed", { error: String(error) });
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
