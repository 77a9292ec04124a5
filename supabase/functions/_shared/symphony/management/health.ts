/** Judges whether the bus is alive. Pure. */

/** What the database tells. */
export interface HealthFacts {
  readonly now: string;
  readonly lastTickAt: string | null;
  readonly oldestReadyAt: string | null;
  readonly deadLettersLastHour: { readonly count: number };
  readonly installation: Readonly<Record<string, boolean>>;
}

/** Beyond these the bus is not healthy. */
export interface HealthLimits {
  /** Ms since the last tick began. */
  readonly maxTickAge: number;
  /** Ms that a due message may have waited. */
  readonly maxReadyAge: number;
  /** Dead letters within an hour; any number where absent. */
  readonly maxDeadLetters: number | undefined;
}

/** One thing that was looked at. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found: ms, a number, or whether it is there; null: never. */
  readonly found: number | boolean | null;
  /** The most that is healthy, in the same unit; null: there is no limit. */
  readonly limit: number | boolean | null;
}

/** Judges each fact by its limit. Paused queues are nobody's delay; the database leaves them out. */
export function judgeHealth(facts: HealthFacts, limits: HealthLimits): {
  status: "ok" | "failing";
  checks: HealthCheck[];
} {
  const age = (since: string | null) =>
    since === null ? null : Math.max(0, Date.parse(facts.now) - Date.parse(since));
  const tickAge = age(facts.lastTickAt);
  const readyAge = age(facts.oldestReadyAt) ?? 0;
  const deadLetters = facts.deadLettersLastHour.count;
  const { maxTickAge, maxReadyAge, maxDeadLetters } = limits;
  const checks = [
    {
      name: "last tick",
      ok: tickAge !== null && tickAge <= maxTickAge,
      found: tickAge,
      limit: maxTickAge,
    },
    {
      name: "oldest ready message",
      ok: readyAge <= maxReadyAge,
      found: readyAge,
      limit: maxReadyAge,
    },
    {
      name: "dead letters in the last hour",
      ok: maxDeadLetters === undefined || deadLetters <= maxDeadLetters,
      found: deadLetters,
      limit: maxDeadLetters ?? null,
    },
    ...Object.entries(facts.installation).map(([name, isThere]) => ({
      name: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      ok: isThere,
      found: isThere,
      limit: true,
    })),
  ];
  return { status: checks.every(({ ok }) => ok) ? "ok" : "failing", checks };
}
