/** Asks again and again, while somebody sees it. */

import { readLive, subscribeLive } from "./live.ts";
import { type ApiProblem, toProblem } from "./api-problem.ts";

/** The knowledge of a resource. */
export interface Snapshot<Data> {
  /** The last answer; kept while later requests fail. */
  readonly data: Data | undefined;
  readonly error: ApiProblem | null;
  /** Whether the first answer is still on its way. */
  readonly isLoading: boolean;
  /** When `data` came, in ms since 1970. */
  readonly updatedAt: number | null;
  /** Since when requests fail although there is older data; null: it is not stale. */
  readonly staleSince: number | null;
}

/** The state before the first answer. */
export const LOADING: Snapshot<never> = {
  data: undefined,
  error: null,
  isLoading: true,
  updatedAt: null,
  staleSince: null,
};

/** Longest time between two requests after errors, in ms. */
const MAX_BACKOFF_MS = 60_000;
/** Time until a resource that is not polled is asked for again after an error, in ms. */
const RETRY_MS = 5_000;

/** A resource that is polled until `stop`. It rests while the tab is hidden or live updates are paused. */
export class Poll<Data> {
  #running: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #hasStopped = false;
  readonly #unsubscribe: () => void;
  readonly #onWake = () => this.#wake();

  /**
   * Asks at once.
   * @param everyMs time between two requests; null: asks once. It doubles after each error
   * @param snapshot what is known already
   */
  constructor(
    readonly fetcher: (signal: AbortSignal) => Promise<Data>,
    readonly everyMs: number | null,
    private snapshot: Snapshot<Data>,
    readonly onChange: (snapshot: Snapshot<Data>) => void,
  ) {
    document.addEventListener("visibilitychange", this.#onWake);
    this.#unsubscribe = subscribeLive(this.#onWake);
    void this.#ask();
  }

  /** Asks now, also while live updates are paused. */
  reload(): void {
    void this.#ask();
  }

  /** Gives the running request up, and asks no more. */
  stop(): void {
    this.#hasStopped = true;
    clearTimeout(this.#timer);
    this.#running?.abort();
    document.removeEventListener("visibilitychange", this.#onWake);
    this.#unsubscribe();
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running?.abort();
    const own = this.#running = new AbortController();
    const result = await this.fetcher(own.signal).then(
      (data) => succeeded(data),
      (error: unknown) => failed(this.snapshot, toProblem(error)),
    );
    if (own.signal.aborted) return;
    this.#running = undefined;
    this.#failures = result.error ? this.#failures + 1 : 0;
    this.snapshot = result;
    this.onChange(result);
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const pace = this.everyMs === null ? null : readLive().everyMs ?? this.everyMs;
    // A first answer that has not come is asked for again, even if it would not be polled.
    if (this.#hasStopped || rests() || (pace === null && this.#failures === 0)) return;
    this.#timer = setTimeout(() => this.#ask(), waitMs(pace, this.#failures));
  }

  #wake(): void {
    if (rests()) clearTimeout(this.#timer);
    else if (!this.#running && this.everyMs !== null) void this.#ask();
  }
}

/**
 * Time until the next request, in ms: it doubles after each error. After an error a resource that is asked for more
 * rarely than once a minute does not wait for its turn.
 * @param pace time between two requests in ms; null: it is not polled
 * @param failures requests that have failed since the last answer
 */
export function waitMs(pace: number | null, failures: number): number {
  if (failures === 0 && pace !== null) return pace;
  const first = pace === null || pace > MAX_BACKOFF_MS ? RETRY_MS : pace;
  return Math.min(first * 2 ** Math.min(failures, 5), MAX_BACKOFF_MS);
}

function rests(): boolean {
  return document.visibilityState === "hidden" || readLive().isPaused;
}

function succeeded<Data>(data: Data): Snapshot<Data> {
  return { data, error: null, isLoading: false, updatedAt: Date.now(), staleSince: null };
}

function failed<Data>(before: Snapshot<Data>, error: ApiProblem): Snapshot<Data> {
  const { data, updatedAt } = before;
  const staleSince = data === undefined ? null : before.staleSince ?? updatedAt;
  return { data, updatedAt, error, isLoading: false, staleSince };
}
