/** What handlers report of their messages: checked, held back for a second, written in one call. */

import type { Envelope } from "../envelope.ts";
import { showValue } from "../inspect.ts";
import type { Logger } from "../log.ts";
import type { ProgressReport, Transport } from "../transport/transport.ts";

/** All reports of a process are written together, at most once in so many ms. */
const WRITE_EVERY_MS = 1_000;
const LONGEST_NOTE = 200;

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
    await (pending && !goes ? this.#write() : this.#writing);
    return this.#written.delete(id);
  }

  #write(): Promise<void> {
    this.#stopTimer();
    const reports = [...this.#pending.values()];
    this.#pending.clear();
    this.#writtenAt = performance.now();
    for (const { id } of reports) this.#written.add(id);
    return this.#writing = this.#writing.then(() => this.#send(reports));
  }

  async #send(reports: readonly ProgressReport[]): Promise<void> {
    try {
      await this.parts.transport.reportProgress(reports);
    } catch (error) {
      this.parts.log.warn("progress_failed", { error: String(error) });
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
