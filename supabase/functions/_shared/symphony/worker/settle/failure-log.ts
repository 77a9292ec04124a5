/** Log lines about outcomes that failed: one for many, for the platform keeps 100 events in 10 s. */

import type { AttemptError, Envelope } from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Dead, Retry } from "../../message/outcome.ts";

/** Shortest time between two lines, in ms. */
const LINE_INTERVAL_MS = 1_000;
/** Different failures that a line tells of. */
const MAX_KINDS = 10;
const MAX_IDS = 5;
const MAX_TEXT = 200;

interface FailureKind {
  readonly type: string;
  /** `retry`, or why the message is dead. */
  readonly outcome: string;
  readonly error: string;
  count: number;
  /** The first few of them. */
  readonly ids: string[];
}

/** Collects failed outcomes that were written, and logs them together: at once, then once a second at most. */
export class FailureLog {
  #kinds = new Map<string, FailureKind>();
  #retried = 0;
  #failed = 0;
  #loggedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param log gets the lines, as warnings with the event `messages_failed` */
  constructor(private readonly log: Logger) {}

  /** Takes in an outcome; {@link flush} or a moment writes it. */
  add({ id, type }: Envelope, outcome: Retry | Dead): void {
    if (outcome.kind === "retry") this.#retried++;
    else this.#failed++;
    const fate = outcome.kind === "retry" ? "retry" : outcome.reason;
    const error = textOf(outcome.errors.at(-1));
    const key = JSON.stringify([type, fate, error]);
    const known = this.#kinds.get(key);
    if (known) {
      known.count++;
      if (known.ids.length < MAX_IDS) known.ids.push(id);
    } else if (this.#kinds.size < MAX_KINDS) {
      this.#kinds.set(key, { type, outcome: fate, error, count: 1, ids: [id] });
    }
  }

  /** Writes what was added, unless a line was written just now: then a little later. */
  written(): void {
    if (this.#retried + this.#failed === 0 || this.#timer !== undefined) return;
    const waitMs = this.#loggedAt + LINE_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), waitMs);
  }

  /** Writes what was added and is not written yet. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#retried + this.#failed === 0) return;
    const failures = [...this.#kinds.values()];
    const told = failures.reduce((sum, { count }) => sum + count, 0);
    const others = this.#retried + this.#failed - told;
    this.log.warn("messages_failed", {
      retried: this.#retried,
      failed: this.#failed,
      failures,
      ...(others > 0 && { others }),
    });
    this.#kinds = new Map();
    this.#retried = this.#failed = 0;
    this.#loggedAt = performance.now();
  }
}

function textOf(error: AttemptError | undefined): string {
  return error ? `${error.class}: ${error.message}`.slice(0, MAX_TEXT) : "";
}
