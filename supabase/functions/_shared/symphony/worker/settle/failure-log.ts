/** Log lines about failed outcomes: one line for many, because the platform keeps 100 events in 10 s. */

import type { AttemptError, Envelope } from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Dead, Retry } from "../../message/outcome.ts";

/** Shortest interval between two lines. */
const LINE_INTERVAL_MS = 1_000;
/** Most different failures in one line. */
const MAX_KINDS = 10;
/** Most ids of messages with one failure. */
const MAX_IDS = 5;
/** Longest text of an error, in characters. */
const MAX_TEXT = 200;

interface FailureKind {
  readonly type: string;
  /** `retry`, or why the message is dead. */
  readonly outcome: string;
  readonly error: string;
  count: number;
  /** Ids of the first messages with this failure. */
  readonly ids: string[];
}

/** Collects failed outcomes that were written. The first line comes at once, further lines once a second at most. */
export class FailureLog {
  #kinds = new Map<string, FailureKind>();
  #retried = 0;
  #failed = 0;
  #loggedAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param log gets the lines, as warnings with the event `messages_failed` */
  constructor(private readonly log: Logger) {}

  /** Adds an outcome. {@link written} or {@link flush} logs it. */
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

  /** Logs the added outcomes, at the earliest one interval after the last line. */
  written(): void {
    if (this.#retried + this.#failed === 0 || this.#timer !== undefined) return;
    const waitMs = this.#loggedAt + LINE_INTERVAL_MS - performance.now();
    if (waitMs <= 0) this.flush();
    else this.#timer = setTimeout(() => this.flush(), waitMs);
  }

  /** Logs the added outcomes now. */
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
