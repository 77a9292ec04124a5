/** What handlers report of their messages: checked, held back for a second, written in one call. */

import type { Envelope } from "../../message/envelope.ts";
import { showValue } from "../../runtime/inspect.ts";
import type { Logger } from "../../runtime/log.ts";
import type { ProgressReport, Transport } from "../../transport/transport.ts";
import { within } from "../../runtime/within.ts";

/** All reports of a process are written together, at most once in so many ms. */
const WRITE_EVERY_MS = 1_000;
const LONGEST_NOTE = 200;
/** An outcome waits so many ms at most for the progress that is to be written before it. */
const LONGEST_WAIT_MS = 2_000;
/** A write that takes longer, in ms, is given up; the transport's own bound is no longer than that. */
const WRITE_TIMEOUT_MS = 10_000;

type Running = Pick<Envelope, "id" | "leaseToken">;

/**
 * Checks what a handler reports.
 * @throws RangeError that names what is wrong
 */
export function checkProgress(value: number, note: string | undefined): void {
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) {
    throw new RangeError(`progress: value: has to be from 0 to 1; got ${showValue(value)}`);
  }
  if (note !== undefined && !isStorable(note)) {
    throw new RangeError(
      `progress: note: has to be text of at most ${LONGEST_NOTE} characters, without U+0000 and ` +
        "halves of surrogate pairs",
    );
  }
}

function isStorable(note: unknown): boolean {
  return typeof note === "string" && [...note].length <= LONGEST_NOTE && !note.includes("\0") &&
    note.isWellFormed();
}

/** Writes what handlers report. A report that cannot be written is dropped and logged. */
export class ProgressReporter {
  /** The latest report of each message, not written yet. */
  readonly #pending = new Map<string, ProgressReport>();
  /** Messages under way of which something was written. */
  readonly #written = new Set<string>();
  #writing: Promise<void> = Promise.resolve();
  /** The write after that, if one is asked for. */
  #next: Promise<void> | undefined;
  #writtenAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly parts: { readonly transport: Transport; readonly log: Logger }) {}

  /** Takes a report; a later one of the same message replaces it. */
  report({ id, leaseToken }: Running, value: number, note?: string): void {
    this.#pending.set(id, { id, leaseToken, value, ...(note !== undefined && { note }) });
    const waitMs = Math.max(0, this.#writtenAt + WRITE_EVERY_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#write(), waitMs);
  }

  /**
   * An attempt has ended. What it reported last is written before its outcome, unless the message goes.
   * @returns whether anything was written of it
   */
  async end({ id }: Running, goes: boolean): Promise<boolean> {
    const pending = this.#pending.has(id);
    if (!pending && !this.#written.has(id)) return false;
    if (goes) this.#pending.delete(id);
    if (this.#pending.size === 0) this.#stopTimer();
    const written = pending && !goes ? this.#write() : this.#writing;
    const late = () => new Error("progress is not written in time");
    await within(written, LONGEST_WAIT_MS, late).catch((error) => this.#failed(error));
    this.#pending.delete(id);
    return this.#written.delete(id);
  }

  /** Writes what there is, once the write before is done: there are never two under way. */
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
