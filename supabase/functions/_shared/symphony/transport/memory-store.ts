/** The messages of the transport in memory: how they are written, and what tests read of them. */

import { replacesPayload } from "../message/dedupe.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { checkNames } from "../runtime/option-names.ts";
import { checkSizes, checkTexts, checkTtl } from "./memory-checks.ts";
import { type DeadLetter, type FinishedListener, FinishedMessages } from "./memory-finished.ts";
import { isPastTtl } from "./memory-give.ts";
import { MemoryKeys } from "./memory-keys.ts";
import { MemoryQueues } from "./memory-queues.ts";
import {
  hasStarted,
  heldKey,
  replaced,
  type Row,
  type StoredEnvelope,
  toEnvelope,
} from "./memory-rows.ts";
import { RateCounter } from "./rate-counter.ts";

/** Options of a transport in memory. */
export interface MemoryOptions {
  /** The clock, in ms since 1970; `Date.now` by default. */
  readonly now?: () => number;
  /** Names of transports whose messages another project handles: no claim gives them. By default none. */
  readonly elsewhere?: Iterable<string>;
}

/** Keeps messages that wait, run or are finished. */
export abstract class MemoryStore {
  /** The queues' settings. */
  readonly queues = new MemoryQueues();
  /** All messages that were written, as they were then, oldest first. */
  readonly sent: StoredEnvelope[] = [];
  /** Messages that wait or run, by id. */
  protected readonly rows = new Map<string, Row>();
  protected readonly finished = new FinishedMessages();
  /** The clock, in ms since 1970. */
  protected readonly now: () => number;
  /** Names of transports whose messages no claim gives. */
  protected readonly elsewhere: ReadonlySet<string>;
  readonly #keys: MemoryKeys;
  readonly #rates = new RateCounter();
  #nextId = 1;

  constructor(options: MemoryOptions = {}) {
    checkNames(options, ["now", "elsewhere"]);
    this.now = options.now ?? Date.now;
    this.elsewhere = new Set(options.elsewhere);
    this.#keys = new MemoryKeys(this.now);
  }

  /** Dead letters, the oldest first. */
  get failed(): readonly DeadLetter[] {
    return this.finished.failed;
  }

  /** Handled messages, the oldest first. */
  get handled(): readonly StoredEnvelope[] {
    return this.finished.handled;
  }

  /** Handled messages that are remembered, the oldest first, and for how long. */
  get kept(): FinishedMessages["kept"] {
    return this.finished.kept;
  }

  /** Messages that wait or run. */
  get messages(): readonly StoredEnvelope[] {
    return [...this.rows.values()].map(({ envelope }) => envelope);
  }

  /** Messages that are leased. */
  get running(): readonly StoredEnvelope[] {
    const rows = [...this.rows.values()];
    return rows.filter(({ leasedUntil }) => leasedUntil !== null).map(({ envelope }) => envelope);
  }

  /** Whether a message waits or runs. */
  has(id: string): boolean {
    return this.rows.has(id);
  }

  /** Tells a listener of each message that is finished from now on. */
  onFinished(listener: FinishedListener): void {
    this.finished.onFinished(listener);
  }

  /** Counts dispatches against rate limits, all or nothing. @throws RateLimitedError */
  count(limits: readonly LimitedDispatch[]): void {
    this.#rates.count(limits, this.now());
  }

  /** Does what {@link send} does, synchronously: no other call runs in between. */
  enqueue(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): string[] {
    checkTexts("send", messages);
    this.check(messages);
    this.count(limits);
    return messages.map((message) => this.insert(message));
  }

  /** The next id, which no message gets any more. */
  protected newId(): string {
    return String(this.#nextId++);
  }

  /** Checks messages as Postgres does. @throws its refusals */
  protected check(messages: readonly OutgoingMessage[]): void {
    checkSizes(messages);
    for (const message of messages) checkTtl(message, this.now());
    this.#keys.check(messages);
  }

  /**
   * Writes a message, unless its key stands for another.
   * @param reserved the id that is reserved for it; by default the next one
   * @returns its id, or that of the message that has its key
   */
  protected insert(message: OutgoingMessage, reserved?: string): string {
    const known = this.#keys.known(message);
    if (known !== undefined) return known;
    const holds = heldKey(message);
    const holder = holds && this.rows.values().find((row) => row.holds?.key === holds.key);
    // A message that expired while it waited will not run, and one that has started takes no later payload.
    const isOver = holder?.leasedUntil === null && isPastTtl(holder, this.now());
    const isLate = holder && replacesPayload(message.dedupe) && hasStarted(holder);
    if (holder && !isOver && !isLate) {
      holder.envelope = replaced(holder.envelope, message, this.now());
      return holder.envelope.id;
    }
    if (holder) holder.holds = null;

    const id = reserved ?? this.newId();
    this.#keys.hold(message, id);
    const envelope = toEnvelope(id, message, this.now());
    this.rows.set(id, { envelope, leasedUntil: null, holds });
    this.sent.push(envelope);
    return id;
  }

  /** Makes a waiting message due. Returns false if it runs. */
  protected wake(id: string): boolean {
    const row = this.rows.get(id);
    if (!row) return true;
    if (row.leasedUntil !== null) return false;
    const availableAt = new Date(Math.min(row.envelope.availableAt.getTime(), this.now()));
    row.envelope = { ...row.envelope, availableAt };
    return true;
  }
}
