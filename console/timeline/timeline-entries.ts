/** The life of a message as a list of what happened, oldest first, and what comes next. */

/** An error of an attempt, as it was stored. */
export interface AttemptFailure {
  readonly message: string;
  readonly class: string;
  readonly code: string | null;
  readonly stack: string | null;
  readonly handler: string | null;
}

/** A durable step, as the API shows it. */
export interface TimelineStep {
  readonly handler: string;
  readonly name: string;
  readonly key: string;
  readonly nth: number;
  readonly kind: "step" | "sleep" | "wait" | "effect" | "all";
  readonly status: "running" | "done" | "failed" | "pending";
  readonly until: string | null;
  readonly createdAt: string;
  readonly error?: unknown;
  readonly waitsFor: readonly string[] | null;
  readonly resultBytes: number;
  readonly result?: unknown;
}

/** An entry; `at` is in ms since 1970. */
export type TimelineEntry =
  | { readonly kind: "created"; readonly at: number }
  | {
    readonly kind: "attempt";
    readonly at: number;
    readonly attempt: number;
    readonly durationMs: number;
    /** Time since the attempt before, or since the creation; null if it is not known. */
    readonly waitedMs: number | null;
    /** Attempts before it whose errors are no longer kept. */
    readonly forgotten: number;
    readonly failures: readonly AttemptFailure[];
  }
  | { readonly kind: "step"; readonly at: number; readonly step: TimelineStep }
  | { readonly kind: "dead"; readonly at: number; readonly reason: string }
  | { readonly kind: "running"; readonly at: number; readonly attempt: number }
  | { readonly kind: "due"; readonly at: number; readonly isRetry: boolean };

/** The parts of a message, or of a dead letter, from which its timeline is made. */
export interface TimelineSource {
  readonly createdAt: string;
  readonly attempts: number;
  readonly errors: readonly unknown[];
  readonly steps: readonly TimelineStep[];
  readonly status: "pending" | "processing" | "failed";
  readonly retryCount: number;
  readonly availableAt?: string;
  readonly leasedUntil?: string | null;
  readonly failedAt?: string;
  readonly reason?: string;
}

/** Makes the timeline. */
export function timelineOf(source: TimelineSource): TimelineEntry[] {
  const created = Date.parse(source.createdAt);
  const past: TimelineEntry[] = [
    { kind: "created", at: created },
    ...attemptsOf(source.errors, created),
    ...source.steps.map((step): TimelineEntry => ({
      ...{ kind: "step", at: Date.parse(step.createdAt), step },
    })),
  ];
  return [...past.sort((a, b) => a.at - b.at), ...endOf(source)];
}

function endOf(source: TimelineSource): TimelineEntry[] {
  const { status, failedAt, reason, leasedUntil, availableAt, attempts, retryCount } = source;
  if (failedAt !== undefined) {
    return [{ kind: "dead", at: Date.parse(failedAt), reason: reason ?? "" }];
  }
  if (status === "processing") {
    const at = Date.parse(leasedUntil ?? "");
    return [{ kind: "running", at: Number.isNaN(at) ? Date.now() : at, attempt: attempts }];
  }
  if (availableAt === undefined) return [];
  return [{ kind: "due", at: Date.parse(availableAt), isRetry: retryCount > 0 }];
}

type Attempt = Extract<TimelineEntry, { kind: "attempt" }>;

function attemptsOf(errors: readonly unknown[], created: number): Attempt[] {
  const attempts: Attempt[] = [];
  for (const error of errors) {
    const stored = isRecord(error) ? error : { message: String(error) };
    const attempt = numberOf(stored["attempt"]);
    const at = Date.parse(textOf(stored["at"]) ?? "");
    const before = attempts.at(-1);
    const failure = failureOf(stored);
    // Several handlers of one attempt have an error each.
    if (before && attempt > 0 && before.attempt === attempt && before.at === at) {
      attempts.splice(-1, 1, { ...before, failures: [...before.failures, failure] });
      continue;
    }
    const durationMs = numberOf(stored["durationMs"]);
    const forgotten = before && attempt > before.attempt + 1 ? attempt - before.attempt - 1 : 0;
    attempts.push({
      ...{ kind: "attempt", attempt, durationMs, forgotten, failures: [failure] },
      at: Number.isNaN(at) ? before?.at ?? created : at,
      waitedMs: waited(at - durationMs, before?.at ?? created),
    });
  }
  return attempts;
}

function waited(startedAt: number, from: number): number | null {
  return Number.isNaN(startedAt) ? null : Math.max(0, startedAt - from);
}

function failureOf(stored: Readonly<Record<string, unknown>>): AttemptFailure {
  return {
    message: textOf(stored["message"]) ?? "",
    class: textOf(stored["class"]) ?? "Error",
    code: textOf(stored["code"]),
    stack: textOf(stored["stack"]),
    handler: textOf(stored["handler"]),
  };
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function numberOf(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
