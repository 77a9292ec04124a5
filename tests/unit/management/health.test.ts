/** The pure parts of the management API: the judgement of health, metrics and cursors. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  cursor,
  id,
  toCursor,
} from "../../../supabase/functions/_shared/symphony/management/query-fields.ts";
import { judgeHealth } from "../../../supabase/functions/_shared/symphony/management/health.ts";
import { SCHEMA_VERSION } from "../../../supabase/functions/_shared/symphony/runtime/version.ts";
import { toMetrics } from "../../../supabase/functions/_shared/symphony/management/metrics.ts";

const facts = {
  now: "2026-01-01T12:00:00Z",
  lastTickAt: "2026-01-01T11:57:00Z",
  oldestReadyAt: "2026-01-01T11:55:00Z",
  deadLettersLastHour: { count: 3 },
  ticksNotStarted: 0,
  schedulesOverdueSince: "2026-01-01T11:55:00Z",
  schedulesInvalid: 0,
  waitingForWorkers: [],
  strayQueues: [],
  sequenceIsBehind: false,
  defaultQueue: true,
  version: SCHEMA_VERSION,
  installation: {
    ...{ pgCron: true, pgNet: true, vault: true, cronJob: true, vaultSecrets: true },
    cronSchedule: "* * * * *",
    lastRun: { at: "2026-01-01T11:59:00Z", status: "succeeded", message: "1 row" },
    lastAnswer: {
      ...{ at: "2026-01-01T11:59:00Z", status: 202, timedOut: false, error: null, content: null },
    },
  },
};
const limits = {
  ...{ maxTickAge: 180_000, maxReadyAge: 300_000, maxScheduleAge: 300_000, maxDeadLetters: 3 },
};

function failing(given: object, limit: object = {}): string[] {
  const { status, checks } = judgeHealth({ ...facts, ...given }, { ...limits, ...limit });
  const names = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  assertEquals(status, names.length === 0 ? "ok" : "failing");
  return names;
}

Deno.test("what lies on its limit is healthy, what lies beyond is not", () => {
  assertEquals(failing({}), []);
  assertEquals(failing({ lastTickAt: "2026-01-01T11:56:59.999Z" }), ["last tick"]);
  assertEquals(failing({ oldestReadyAt: "2026-01-01T11:54:59Z" }), ["oldest ready message"]);
  assertEquals(failing({}, { maxDeadLetters: 2 }), ["dead letters in the last hour"]);
  assertEquals(failing({ schedulesOverdueSince: "2026-01-01T11:54:59Z" }), ["overdue schedules"]);
  assertEquals(failing({ schedulesInvalid: 1 }), ["invalid schedules"]);
  assertEquals(failing({ strayQueues: ["lost"] }), ["stray queues"]);
  assertEquals(failing({ webhooksDisabled: [{ name: "a", reason: "it answered 410 Gone" }] }), [
    "webhook endpoints",
  ]);
  assertEquals(failing({ sequenceIsBehind: true }), ["sequence"]);
});

Deno.test("what the bus stands on is judged by whether it works, not only by whether it is there", () => {
  const { installation } = facts;
  const ill = (given: object) => failing({ installation: { ...installation, ...given } });
  assertEquals(ill({ pgCron: false }), ["pg_cron"]);
  for (const schedule of ["0 0 29 2 *", "*/5 * * * *", "* 3 * * *", "@hourly", "nonsense"]) {
    assertEquals(ill({ cronSchedule: schedule }), ["cron_schedule"], schedule);
  }
  for (const schedule of ["* * * * *", "*/1 * * * *", "30 seconds", "1 second", null]) {
    assertEquals(ill({ cronSchedule: schedule }), [], String(schedule));
  }
  const { lastRun, lastAnswer } = installation;
  assertEquals(ill({ lastRun: { ...lastRun, status: "failed" } }), ["cron_run"]);
  assertEquals(ill({ lastRun: { ...lastRun, at: "2026-01-01T11:56:59Z" } }), ["cron_run"]);
  assertEquals(ill({ lastRun: null, lastAnswer: null }), [], "nothing is known yet");
  const neverRan = (since: string) => ill({ lastRun: null, notRunSince: since });
  assertEquals(neverRan("2026-01-01T11:57:00Z"), [], "the job is there for three minutes");
  assertEquals(neverRan("2026-01-01T11:56:59Z"), ["cron_run"]);
  for (const status of [401, 404, 500, 302]) {
    assertEquals(ill({ lastAnswer: { ...lastAnswer, status } }), ["asked ticks"]);
  }
  const none = { ...lastAnswer, status: null };
  assertEquals(ill({ lastAnswer: { ...none, error: "Couldn't connect" } }), ["asked ticks"]);
  assertEquals(ill({ lastAnswer: { ...none, error: "Timeout", timedOut: true } }), []);
});

Deno.test("each failing check says what to do, by what was found", () => {
  const { installation } = facts;
  const advice = (given: object) =>
    judgeHealth({ ...facts, ...given }, limits).checks.flatMap(({ advice }) => advice ?? []);
  assertEquals(advice({}), []);
  const lastAnswer = { ...installation.lastAnswer, status: 401, content: "wrong key" };
  const [refused] = advice({ ticksNotStarted: 3, installation: { ...installation, lastAnswer } });
  assertStringIncludes(refused ?? "", "3 ticks were requested");
  assertStringIncludes(refused ?? "", "refuses the secret key");
  const [lost] = advice({
    ticksNotStarted: 1,
    installation: { ...installation, lastAnswer: null },
  });
  assertStringIncludes(lost ?? "", "pg_net has sent nothing");
  const notRunSince = "2026-01-01T11:30:00Z";
  const [never] = advice({ installation: { ...installation, lastRun: null, notRunSince } });
  assertStringIncludes(never ?? "", "once in 30 minutes");
  assertStringIncludes(never ?? "", "doctor --fix");
  const nothing = {
    pgCron: false,
    pgNet: false,
    vault: false,
    cronJob: false,
    vaultSecrets: false,
  };
  for (const said of advice({ installation: nothing, lastTickAt: null })) {
    assertMatch(said, /\.$/);
  }
});

Deno.test("the check of Vault's secrets finds which one is wrong, and how", () => {
  const vaultProblem = "symphony_secret_key has a space or a line break";
  const installation = { ...facts.installation, vaultSecrets: false, vaultProblem };
  const check = judgeHealth({ ...facts, installation }, limits).checks
    .find(({ name }) => name === "vault_secrets");
  assertEquals([check?.ok, check?.found], [false, vaultProblem]);
  assertStringIncludes(check?.advice ?? "", "SYMPHONY_SECRET_KEY");
});

Deno.test("messages that wait for a worker while none runs are told with the command that starts one", () => {
  const waitingForWorkers = [{ queue: "heavy", since: "2026-01-01T11:59:00Z" }];
  const check = judgeHealth({ ...facts, waitingForWorkers }, limits).checks
    .find(({ name }) => name === "messages for workers");
  assertEquals([check?.ok, check?.found], [false, "heavy"]);
  assertStringIncludes(check?.advice ?? "", "npx symphony-messenger worker --queues heavy");
});

Deno.test("a bus that never ticked is not healthy; one without messages or a limit is", () => {
  assertEquals(failing({ lastTickAt: null }), ["last tick"]);
  assertEquals(failing({ oldestReadyAt: null }), []);
  assertEquals(failing({}, { maxDeadLetters: undefined }), []);
  assertEquals(failing({ lastTickAt: "2026-01-01T12:00:01Z" }), [], "a tick of this moment");
});

Deno.test("metrics escape what stands in labels, and write 0 for what never was", () => {
  const count = { count: 0, capped: false };
  const text = toMetrics(
    {
      now: facts.now,
      leftOut: 7,
      leftOutInUse: 3,
      queues: [{
        name: 'a"\\\n',
        paused: true,
        ...{ maxWorkers: 1, concurrency: null, groupConcurrency: 1, rateLimit: null },
        ...{ laneConcurrency: null, laneRateLimit: null, laneRatePeriodMs: 1000 },
        ...{
          ratePeriodMs: 1000,
          weight: 1,
          leaseMs: null,
          runsOn: "tick" as const,
          createdAt: facts.now,
        },
        ...{ due: count, delayed: count, blocked: count, quarantined: count, processing: count },
        oldestReadyAt: "2026-01-01T11:59:30Z",
      }],
      deadLetters: { total: count, lastHour: count, groups: [] },
      schedules: { enabled: 0, disabled: 0 },
      rates: [],
      types: [],
      ticks: { lastAt: null, awake: 0, rates: [] },
    },
    [],
    [],
  );
  const line = (name: string) => text.split("\n").find((line) => line.startsWith(name));
  assertEquals(line("symphony_queue_paused"), 'symphony_queue_paused{queue="a\\"\\\\\\n"} 1');
  assertEquals(
    line("symphony_queue_oldest"),
    [
      'symphony_queue_oldest_ready_seconds{queue="a\\"\\\\\\n"} 30',
    ][0],
  );
  assertEquals(line("symphony_queues_left_out"), 'symphony_queues_left_out{state="in_use"} 3');
  assertEquals(line("symphony_last_tick"), "symphony_last_tick_timestamp_seconds 0");
});

Deno.test("a cursor comes back as it was, and no other text is one", () => {
  assertEquals(cursor(id).parse(toCursor("42")), "42");
  assertEquals(toCursor(null), null);
  for (const text of ["", "x", "%", btoa("{}"), btoa('"x"'), btoa("5")]) {
    assertEquals(cursor(id).safeParse(text).success, false, text);
  }
});

Deno.test("a clone of the schema alone is told what it lacks", () => {
  const { installation } = facts;
  const ill = (given: object) => failing({ installation: { ...installation, ...given } });
  assertEquals(failing({ defaultQueue: false }), ["default queue"]);
  assertEquals(ill({ jobs: [{ name: "symphony-prune", problem: "missing" }] }), ["cron_jobs"]);
  assertEquals(ill({ cronJob: false, jobs: [{ name: "symphony-tick", problem: "missing" }] }), [
    "cron_job",
  ]);
  assertEquals(ill({ jobs: [{ name: "symphony-tick", problem: "doubled" }] }), ["cron_jobs"]);
});

Deno.test("another hosted project's URL in Vault fails, another address of the same project does not", () => {
  const ill = (url: string, projectUrl: string) =>
    failing({ installation: { ...facts.installation, url } }, { projectUrl });
  assertEquals(ill("https://abc.supabase.co", "https://xyz.supabase.co"), ["vault_url"]);
  assertEquals(ill("https://abc.supabase.co/", "https://abc.supabase.co"), []);
  assertEquals(ill("https://api.example.org", "https://abc.supabase.co"), []);
  assertEquals(ill("http://api.supabase.internal:8000", "http://kong:8000"), []);
});

Deno.test("a schema that is older than the library fails, a newer one does not", () => {
  assertEquals(failing({ version: "0.0.9" }), ["schema"]);
  assertEquals(failing({ version: "99.0.0" }), []);
});
