/** Judges whether the bus is healthy, and gives advice for each failing check. Pure. */

import type { HealthFacts, Installation } from "../database/bus-state.ts";

/** Limits beyond which the bus is not healthy. */
export interface HealthLimits {
  /** Ms since the last tick began. */
  readonly maxTickAge: number;
  /** Longest wait of a due message, in ms. */
  readonly maxReadyAge: number;
  /** Longest delay of a schedule's run, in ms. */
  readonly maxScheduleAge: number;
  /** Most dead letters within an hour; default: no limit. */
  readonly maxDeadLetters: number | undefined;
}

/** The result of one check. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** The found value: ms, a number, a text, or whether a thing exists; null: never, or none. */
  readonly found: number | boolean | string | null;
  /** The largest healthy value, in the same unit; null: no limit. */
  readonly limit: number | boolean | string | null;
  /** Advice for the operator if the check fails; null if it passes. */
  readonly advice: string | null;
}

type Judged = Omit<HealthCheck, "advice"> & { readonly advice: string };

/** Judges each fact by its limit. Messages of paused queues do not count as late: the database leaves them out. */
export function judgeHealth(facts: HealthFacts, limits: HealthLimits): {
  status: "ok" | "failing";
  checks: HealthCheck[];
} {
  const checks = [
    ...judgeTicks(facts, limits),
    ...judgeMessages(facts, limits),
    ...judgeSchedules(facts, limits),
    ...judgeInstallation(facts.installation),
    ...judgeCronJob(facts, limits),
  ].map((check) => ({ ...check, advice: check.ok ? null : check.advice }));
  return { status: checks.every(({ ok }) => ok) ? "ok" : "failing", checks };
}

function age(facts: HealthFacts, since: string | null): number | null {
  return since === null ? null : Math.max(0, Date.parse(facts.now) - Date.parse(since));
}

function judgeTicks(facts: HealthFacts, { maxTickAge }: HealthLimits): Judged[] {
  const tickAge = age(facts, facts.lastTickAt);
  const { lastAnswer } = facts.installation;
  return [
    {
      name: "last tick",
      ok: tickAge !== null && tickAge <= maxTickAge,
      found: tickAge,
      limit: maxTickAge,
      advice:
        "No tick has begun in time. Check that the function tick is deployed, and see the checks cron_job and asked ticks.",
    },
    {
      name: "asked ticks",
      ok: facts.ticksNotStarted === 0 && !isRefusal(lastAnswer),
      found: lastAnswer ? describeAnswer(lastAnswer) : facts.ticksNotStarted,
      limit: 0,
      advice: adviceOnTicks(facts.ticksNotStarted, lastAnswer),
    },
  ];
}

function isRefusal(answer: Installation["lastAnswer"]): boolean {
  // A function with a cold start may take longer than the request waits, and still work.
  return answer?.status ? answer.status >= 300 : Boolean(answer?.error) && !answer?.timedOut;
}

function describeAnswer(
  { status, timedOut, error, content }: NonNullable<Installation["lastAnswer"]>,
) {
  if (status) return `HTTP ${status}${status >= 300 && content ? ` ${content}` : ""}`;
  return timedOut ? "timed out" : error ?? "no answer";
}

function adviceOnTicks(notStarted: number, answer: Installation["lastAnswer"]): string {
  const number =
    `${notStarted} ticks were requested since the last one began, and have not started`;
  if (answer?.status === 401 || answer?.status === 403) {
    return `${number}: the function tick refuses the secret key. Put the project's secret key into Vault as symphony_secret_key.`;
  }
  if (answer?.status === 404) {
    return `${number}: the function tick does not exist. Deploy it, and check that Vault's symphony_url is the project's URL.`;
  }
  if (answer?.timedOut || answer?.error) {
    return `${number}: the function tick cannot be reached. Check that Vault's symphony_url is the project's URL.`;
  }
  return answer && isRefusal(answer)
    ? `${number}: the function tick answers with an error. See its logs.`
    : `${number}: pg_net has sent nothing. Restart its worker: select net.worker_restart().`;
}

function judgeMessages(facts: HealthFacts, limits: HealthLimits): Judged[] {
  const readyAge = age(facts, facts.oldestReadyAt) ?? 0;
  const deadLetters = facts.deadLettersLastHour.count;
  const { maxReadyAge, maxDeadLetters } = limits;
  return [
    {
      name: "oldest ready message",
      ok: readyAge <= maxReadyAge,
      found: readyAge,
      limit: maxReadyAge,
      advice:
        "Messages wait too long. Check the queue's limits (messenger queues list), raise its max_workers, or give the check a larger maxReadyAge.",
    },
    {
      name: "dead letters in the last hour",
      ok: maxDeadLetters === undefined || deadLetters <= maxDeadLetters,
      found: deadLetters,
      limit: maxDeadLetters ?? null,
      advice: "See their errors: messenger failed list. Redrive them after the cause is fixed.",
    },
    {
      name: "stray queues",
      ok: facts.strayQueues.length === 0,
      found: facts.strayQueues.length === 0 ? 0 : facts.strayQueues.join(", "),
      limit: 0,
      advice:
        "Messages wait in queues that have no row: they run with the default settings, and lists do not show these queues. The job symphony-tidy-queues makes the rows within an hour; or make them now: messenger queues create NAME.",
    },
    {
      name: "sequence",
      ok: !facts.sequenceIsBehind,
      found: !facts.sequenceIsBehind,
      limit: true,
      advice:
        "New messages may get ids that are in use. Run select setval('public.messenger_messages_id_seq', (select max(id) from (select id from public.messenger_messages union all select id from public.messenger_failed_messages) as ids)).",
    },
  ];
}

function judgeSchedules(facts: HealthFacts, { maxScheduleAge }: HealthLimits): Judged[] {
  const overdue = age(facts, facts.schedulesOverdueSince) ?? 0;
  return [
    {
      name: "overdue schedules",
      ok: overdue <= maxScheduleAge,
      found: overdue,
      limit: maxScheduleAge,
      advice:
        "A schedule's run is overdue: no tick plans schedules. See the check of last tick, and the logs of the function tick.",
    },
    {
      name: "invalid schedules",
      ok: facts.schedulesInvalid === 0,
      found: facts.schedulesInvalid,
      limit: 0,
      advice:
        "Schedules were disabled because they cannot run. See why: messenger schedules list. Change or delete them.",
    },
  ];
}

const INSTALLED = {
  pgCron: ["pg_cron", "Install it: create extension pg_cron with schema pg_catalog."],
  pgNet: ["pg_net", "Install it: create extension pg_net."],
  vault: ["vault", "Install it: create extension supabase_vault."],
  cronJob: [
    "cron_job",
    "The job symphony-tick is missing, switched off, or runs something else. Run select cron.schedule('symphony-tick', '* * * * *', 'select public.messenger_tick()').",
  ],
  vaultSecrets: [
    "vault_secrets",
    "Vault's symphony_url or symphony_secret_key is missing, empty, no URL, or cannot be read. Set SYMPHONY_URL and SYMPHONY_SECRET_KEY and run supabase db push.",
  ],
} as const;

function judgeInstallation(installation: Installation): Judged[] {
  return Object.entries(INSTALLED).map(([field, [name, advice]]) => {
    const isThere = installation[field as keyof typeof INSTALLED] === true;
    return { name, ok: isThere, found: isThere, limit: true, advice };
  });
}

// Every minute, or every 1 to 59 seconds.
const EVERY_MINUTE = /^\s*((\*|\*\/1|0-59)(\s+(\*|\*\/1)){4}|\d{1,2}\s+seconds?)\s*$/;

function judgeCronJob(facts: HealthFacts, { maxTickAge }: HealthLimits): Judged[] {
  const { cronJob, cronSchedule, lastRun } = facts.installation;
  const runAge = age(facts, lastRun?.at ?? null);
  const isLate = runAge !== null && runAge > maxTickAge;
  return [
    {
      name: "cron_schedule",
      ok: !cronJob || !cronSchedule || EVERY_MINUTE.test(cronSchedule),
      found: cronSchedule ?? null,
      limit: "* * * * *",
      advice:
        "The job symphony-tick does not run every minute. Run select cron.schedule('symphony-tick', '* * * * *', 'select public.messenger_tick()').",
    },
    {
      name: "cron_run",
      ok: !lastRun || lastRun.status === "succeeded" && !isLate,
      found: lastRun?.status === "failed" ? lastRun.message ?? "failed" : runAge,
      limit: maxTickAge,
      advice: isLate
        ? "pg_cron has not run the job symphony-tick in time. See cron.job_run_details, and check whether other jobs hold its workers; restart the database if no job runs."
        : "The last run of the job symphony-tick failed; its message says why. See cron.job_run_details.",
    },
  ];
}
