/** Judges whether the bus is healthy, and gives advice for each failing check. Pure. */

import type { HealthFacts, Installation } from "../database/bus-state.ts";
import { SCHEMA_VERSION } from "../runtime/version.ts";
import { compareVersions } from "../runtime/versions.ts";
import { age, type HealthCheck, type HealthLimits, type Judged } from "./health-check.ts";
import { judgeInstallation } from "./installation.ts";
import { judgeOutbox } from "./outbox-health.ts";

/**
 * Judges each fact by its limit. Messages of paused queues do not count as late: the database leaves them out.
 * @param others checks that are judged already
 */
export function judgeHealth(
  facts: HealthFacts,
  limits: HealthLimits,
  others: readonly Judged[] = [],
): {
  status: "ok" | "failing";
  checks: HealthCheck[];
} {
  const checks = [
    ...judgeTicks(facts, limits),
    ...judgeMessages(facts, limits),
    ...judgeSchedules(facts, limits),
    ...judgeWebhooks(facts),
    ...judgeAlerts(facts),
    ...judgeOutbox(facts, limits),
    ...judgeInstallation(facts, limits),
    ...judgeVersions(facts),
    ...others,
  ].map((check) => ({ ...check, advice: check.ok ? null : check.advice }));
  return { status: checks.every(({ ok }) => ok) ? "ok" : "failing", checks };
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
  const waiting = facts.waitingForWorkers;
  const { maxReadyAge, maxDeadLetters } = limits;
  return [
    {
      name: "oldest ready message",
      ok: readyAge <= maxReadyAge,
      found: readyAge,
      limit: maxReadyAge,
      advice:
        "Messages wait too long. Check the queue's limits (symphony-messenger queues list), raise its max_workers, or give the check a larger maxReadyAge.",
    },
    {
      name: "messages for workers",
      ok: waiting.length === 0,
      found: waiting.length === 0 ? 0 : waiting.map(({ queue }) => queue).join(", "),
      limit: 0,
      advice:
        `Messages of these queues run on a worker only, and none that serves them gives a sign of life. Start one: npx symphony-messenger worker --queues ${
          waiting.map(({ queue }) => queue).join(",")
        }; or let ticks run them: symphony-messenger queues set NAME --runs-on tick.`,
    },
    {
      name: "dead letters in the last hour",
      ok: maxDeadLetters === undefined || deadLetters <= maxDeadLetters,
      found: deadLetters,
      limit: maxDeadLetters ?? null,
      advice:
        "See their errors: symphony-messenger failed list. Redrive them after the cause is fixed.",
    },
    {
      name: "stray queues",
      ok: facts.strayQueues.length === 0,
      found: facts.strayQueues.length === 0 ? 0 : facts.strayQueues.join(", "),
      limit: 0,
      advice:
        "Messages wait in queues that have no row: they run with the default settings, and lists do not show these queues. The job symphony-tidy-queues makes the rows within an hour; or make them now: symphony-messenger queues create NAME.",
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
        "Schedules were disabled because they cannot run. See why: symphony-messenger schedules list. Change or delete them.",
    },
  ];
}

function judgeWebhooks({ webhooksDisabled: disabled = [] }: HealthFacts): Judged[] {
  const [first] = disabled;
  return [{
    name: "webhook endpoints",
    ok: !first,
    found: first ? disabled.map(({ name }) => name).join(", ") : 0,
    limit: 0,
    advice:
      `These endpoints were disabled (${first?.name}: ${first?.reason}). Once their receivers work: symphony-messenger webhooks enable NAME, then symphony-messenger webhooks resend --endpoint NAME.`,
  }];
}

function judgeAlerts(
  { alerts: { channels, alerts } = { channels: [], alerts: [] } }: HealthFacts,
): Judged[] {
  return [
    {
      name: "alert deliveries",
      ok: channels.length === 0,
      found: channels.length === 0 ? 0 : channels.join(", "),
      limit: 0,
      advice:
        "Alerts do not arrive on these channels. See why: symphony-messenger alerts deliveries list. Mend the channel (symphony-messenger alerts channels set NAME), then try it: symphony-messenger alerts channels test NAME.",
    },
    {
      name: "alerts",
      ok: alerts.length === 0,
      found: alerts.length === 0 ? 0 : alerts.join(", "),
      limit: 0,
      advice:
        "These alerts cannot be checked. Their error says why: symphony-messenger alerts list.",
    },
  ];
}

function judgeVersions({ version }: HealthFacts): Judged[] {
  return [{
    name: "schema",
    ok: compareVersions(version, SCHEMA_VERSION) >= 0,
    found: version,
    limit: SCHEMA_VERSION,
    advice:
      "The database's schema is older than the functions, which claim nothing until it is up to date: supabase db push.",
  }];
}
