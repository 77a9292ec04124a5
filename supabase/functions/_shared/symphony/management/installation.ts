/** Judges the installation: what a clone of the schema may lack. Pure. */

import type { HealthFacts, Installation } from "../database/bus-state.ts";
import { age, type HealthLimits, type Judged } from "./health-check.ts";

const SET_UP = "Run symphony-messenger doctor --fix, which makes what is missing.";

const INSTALLED = {
  pgCron: ["pg_cron", "Install it: create extension pg_cron with schema pg_catalog."],
  pgNet: ["pg_net", "Install it: create extension pg_net."],
  vault: ["vault", "Install it: create extension supabase_vault."],
  cronJob: [
    "cron_job",
    `The job symphony-tick is missing, switched off, runs something else, or belongs to another database or to a user who may not call messenger_tick. ${SET_UP}`,
  ],
  vaultSecrets: [
    "vault_secrets",
    `Vault's symphony_url or symphony_secret_key is missing, empty, has a space or a line break, is no URL, or cannot be read. Set SYMPHONY_URL and SYMPHONY_SECRET_KEY without them, and run symphony-messenger doctor --fix.`,
  ],
} as const;

/** Judges the extensions, the row, the jobs and the secrets that the bus stands on. */
export function judgeInstallation(facts: HealthFacts, limits: HealthLimits): Judged[] {
  const { installation } = facts;
  return [
    ...judgeParts(installation),
    ...judgeCronJob(facts, limits),
    judgeJobs(installation),
    judgeUrl(installation, limits),
    {
      name: "default queue",
      ok: facts.defaultQueue,
      found: facts.defaultQueue,
      limit: true,
      advice: `The queue default has no row. ${SET_UP}`,
    },
  ];
}

function judgeParts(installation: Installation): Judged[] {
  return Object.entries(INSTALLED).map(([field, [name, advice]]) => {
    const isThere = installation[field as keyof typeof INSTALLED] === true;
    const problem = name === "vault_secrets" ? installation.vaultProblem : null;
    return { name, ok: isThere, found: problem ?? isThere, limit: true, advice };
  });
}

// Every minute, or every 1 to 59 seconds.
const EVERY_MINUTE = /^\s*((\*|\*\/1|0-59)(\s+(\*|\*\/1)){4}|\d{1,2}\s+seconds?)\s*$/;

function judgeCronJob(facts: HealthFacts, limits: HealthLimits): Judged[] {
  const { cronJob, cronSchedule } = facts.installation;
  return [
    {
      name: "cron_schedule",
      ok: !cronJob || !cronSchedule || EVERY_MINUTE.test(cronSchedule),
      found: cronSchedule ?? null,
      limit: "* * * * *",
      advice: `The job symphony-tick does not run every minute. ${SET_UP}`,
    },
    judgeCronRun(facts, limits),
  ];
}

/** A job that is not as it has to be is told by the check cron_job. */
function judgeCronRun(facts: HealthFacts, { maxTickAge }: HealthLimits): Judged {
  const { cronJob, lastRun, notRunSince = null } = facts.installation;
  const runAge = age(facts, lastRun?.at ?? null);
  const waited = cronJob ? age(facts, notRunSince) : null;
  const neverRan = waited !== null && waited > maxTickAge;
  const isLate = runAge !== null && runAge > maxTickAge;
  const hasFailed = lastRun?.status === "failed";
  return {
    name: "cron_run",
    ok: !neverRan && !isLate && !hasFailed,
    found: neverRan ? "never" : hasFailed ? lastRun.message ?? "failed" : runAge,
    limit: maxTickAge,
    advice: neverRan
      ? `pg_cron has not run the job symphony-tick once in ${
        Math.floor(waited / 60_000)
      } minutes. ${SET_UP} It also lets pg_cron read its jobs again. If the job does not run then, restart the database.`
      : isLate
      ? `pg_cron has not run the job symphony-tick in time. See cron.job_run_details, and check whether other jobs hold its workers. ${SET_UP} It also lets pg_cron read its jobs again. Restart the database if no job runs.`
      : "The last run of the job symphony-tick failed; its message says why. See cron.job_run_details.",
  };
}

// The check cron_job tells of the tick's.
function judgeJobs({ jobs = [] }: Installation): Judged {
  const others = jobs.filter(({ name, problem }) =>
    name !== "symphony-tick" || problem === "doubled"
  );
  return {
    name: "cron_jobs",
    ok: others.length === 0,
    found: others.length === 0
      ? true
      : others.map(({ name, problem }) => `${name}: ${problem}`).join(", "),
    limit: true,
    advice: others.some(({ problem }) => problem === "doubled")
      ? `A job runs twice, for two database users. Keep one: select cron.unschedule(jobid) as the user in cron.job. ${SET_UP}`
      : `Alerts are not checked, or rows are kept that are no longer needed, because jobs of the bus are not as they have to be. ${SET_UP}`,
  };
}

const HOSTED = /^https:\/\/([a-z0-9]+)\.supabase\.(?:co|in|red)(?:\/|$)/;

/** Another hosted project's URL is the one fault that can be told: gateways have several addresses. */
function judgeUrl({ url = null }: Installation, { projectUrl }: HealthLimits): Judged {
  const [, named] = HOSTED.exec(url ?? "") ?? [];
  const [, own] = HOSTED.exec(projectUrl ?? "") ?? [];
  return {
    name: "vault_url",
    ok: named === undefined || own === undefined || named === own,
    found: url,
    limit: projectUrl ?? null,
    advice:
      `Vault's symphony_url is another project's, whose function tick is called in place of this one's. ${SET_UP}`,
  };
}
