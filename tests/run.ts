/**
 * Runs the tests, and ends with the line `N passed, N failed`.
 *
 *   deno task test [folder or file ...] [--ignore=path,...] [--rerun=N] [option of deno test ...]
 *
 * With --rerun, up to N files that failed run once more, alone; what passes then is told as flaky. If a file needs Postgres, one server starts first, with a migrated database that tests copy. Each file has a process of its own. Most tests wait more than they compute, so that several files run side by side. Two variables:
 *
 * - SYMPHONY_TEST_POSTGRES: the folder of another Postgres's programs, such as Debian's, in place of the
 *   one from npm.
 * - SYMPHONY_TEST_JOBS: how many files run side by side at most (4); demanding ones count twice.
 */

import { parseArgs } from "node:util";
import { ImportGraph } from "./support/imports.ts";
import {
  figuresOf,
  type JobResults,
  resultsOf,
  slowestOf,
  summaryOf,
  withReruns,
} from "./support/report.ts";
import type { TestRegistry } from "./support/registry.ts";
import type { TestServer } from "./support/server.ts";
import { runInSlots } from "./support/slots.ts";

/** These need much of the machine, or provoke races and failures at chosen moments: each takes two slots. */
const DEMANDING = [
  ...["tests/browser", "tests/fault", "tests/race"],
  ...testsIn("integration", "local_functions", "local_stack", "local_stand_ins", "steps"),
  ...testsIn("integration", "wake", "wake_budget", "wake_when_due"),
];
/** These are in the folders above, and wait more than they compute. */
const EASY = testsIn("fault", "broker_outages", "outbox", "rabbit_disks");
/** These wait for the minutes of the real pg_cron, and take no slot meanwhile. */
const PATIENT = testsIn("integration", "alerts", "pg_cron");
/** These bound how late something may be, and come two at a time when all others have ended. */
const PUNCTUAL = testsIn("integration", "wake_in_time", "queue_limits");
/** The files and folders that take longest start first: one that starts last would run with no other beside it. */
const LONGEST = [
  "integration/bench",
  "integration/management_fuzz",
  "sql/pgtap",
  "integration/alerts",
  "fault/rabbit_disks",
  "fault/rabbit",
  "fault/kills",
  "package/frontends",
  "integration/pg_cron",
  "browser/console_messages",
  "unit/worker",
  "package/install",
  "integration/rabbit",
  "contract/supabase",
  "fault/outages",
  "browser/frontend",
  "browser/console_transports",
  "browser/console_shell",
  "browser/console_schedules",
  "unit/cli",
  "fault/rabbit_network",
  "sql/plans_settle",
  "fault/memory",
  "integration/access_matrix",
  "unit/client",
  "integration/fuzz",
  "unit/docs",
  "integration/user_triggers",
  "integration/outbox",
  "browser/console_safety",
  "race/sql_effects",
  "integration/wake",
  "package/upgrade",
  "integration/local_commands",
  "integration/setup",
  "browser/console_webhooks",
  "fault/everything",
  "browser/accessibility",
  "integration/schedule_operations",
  "integration/dev_loop",
  "integration/worker",
  "integration/doctor",
  "race/locks_operators",
  "race/locks",
  "race/groups",
  "fault/steps",
  "browser/console_records",
  "integration/faults",
  "fault/outbox",
  "browser/console_alerts",
  "package/types",
  "fault/drain",
  "integration/webhooks_beside",
  "integration/schema",
  "package/worker",
  "fault/broker_outages",
].map((name) => name.startsWith("unit/") ? `tests/${name}` : `tests/${name}.test.ts`);
/** The files of a folder below these share a process: each takes less time than the start of one. */
const SMALL = ["tests/unit", "examples"];
/** A file whose imports lead here needs the Postgres server. */
const NEEDS_SERVER = "tests/support/database.ts";
/** A file whose imports lead here needs the registry with the built package. */
const NEEDS_REGISTRY = "tests/support/package.ts";
const LIMIT = Number(Deno.env.get("SYMPHONY_TEST_JOBS") ?? 4);
/** Time after which a process of tests counts as hung. */
const TIMEOUT_S = 1_200;
/** How many of the slowest files the end of a run lists. */
const SLOWEST = 30;

/** Files that run in one process. */
interface Job {
  readonly name: string;
  readonly files: readonly string[];
}

Deno.chdir(new URL("..", import.meta.url));
// A file that was renamed would otherwise lose its place without a word.
for (const path of [...DEMANDING, ...EASY, ...PATIENT, ...PUNCTUAL, ...LONGEST]) {
  Deno.statSync(path);
}
// Unknown arguments are passed on to Deno.
const { values, positionals, tokens } = parseArgs({
  allowPositionals: true,
  strict: false,
  tokens: true,
  options: { ignore: { type: "string" }, rerun: { type: "string" }, filter: { type: "string" } },
});
const options = tokens.flatMap((token) => {
  if (token.kind !== "option" || ["ignore", "rerun"].includes(token.name)) return [];
  return [token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`];
});
const ignored = String(values.ignore ?? "").split(",");
const files = [
  ...new Set((positionals.length > 0 ? positionals : ["tests", "examples"]).flatMap(testFiles)),
]
  .filter((file) => !isIn(file, ignored));
const graph = new ImportGraph();
const jobs = jobsOf(files);

const reports = await Deno.makeTempDir({ prefix: "symphony-reports-" });
// They start beside the first jobs, which wait only for what they need.
const [server, registry] = [startServerFor(files), startRegistryFor(files)];
try {
  const first = await runInSlots(
    LIMIT,
    jobs.map((job) => ({ slots: slotsOf(job), run: () => run(job) })),
  );
  const results = await withReruns(first, Number(values.rerun ?? 0), run);
  const serverCpuS = (await server)?.cpuS();
  if (jobs.length > 1) console.log(slowestOf(results, SLOWEST, serverCpuS));
  console.log(summaryOf(results));
  Deno.exitCode = files.length === 0 || results.some(({ code }) => code !== 0) ? 1 : 0;
} finally {
  for (const started of [server, registry]) await started.then((it) => it?.stop(), () => {});
  await Deno.remove(reports, { recursive: true });
}

/** One job a file, or a folder of small files, in the order in which they start. */
function jobsOf(files: readonly string[]): Job[] {
  const nameOf = (file: string) => isIn(file, SMALL) ? file.split("/").slice(0, 3).join("/") : file;
  const placeOf = ({ name }: Job) =>
    LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length;
  const jobs = Object.entries(Object.groupBy(files, nameOf))
    .map(([name, files = []]) => ({ name, files })).sort((a, b) => placeOf(a) - placeOf(b));
  const kindOf = (job: Job) => {
    if (isIn(job.name, PUNCTUAL)) return "punctual";
    return (["patient", "plain", "demanding"] as const)[slotsOf(job)];
  };
  const { patient = [], demanding = [], plain = [], punctual = [] } = Object.groupBy(jobs, kindOf);
  return [...patient, ...evenly(demanding, plain), ...punctual];
}

/** How many slots a job takes. */
function slotsOf({ name }: Job): 0 | 1 | 2 {
  if (isIn(name, PATIENT)) return 0;
  if (isIn(name, EASY)) return 1;
  return isIn(name, [...DEMANDING, ...PUNCTUAL]) ? 2 : 1;
}

/** Both lists as one, in which each is spread over the whole length. */
function evenly<Item>(...lists: Item[][]): Item[] {
  return lists
    .flatMap((list) => list.map((item, index) => ({ item, at: (index + 0.5) / list.length })))
    .sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** Starts the server if a file needs it. @throws Error if a file that must do without needs it */
async function startServerFor(files: readonly string[]): Promise<TestServer | undefined> {
  const needing = files.filter((file) => graph.leadsTo(file, NEEDS_SERVER));
  const wrong = needing.find((file) => isIn(file, SMALL));
  if (wrong) throw new Error(`${wrong}: a test without a stack must not import ${NEEDS_SERVER}`);
  if (needing.length === 0) return undefined;
  // Loaded only now, so that a unit test does not wait for Postgres's client either.
  const { startTestServer } = await import("./support/server.ts");
  return await startTestServer(Deno.env.get("SYMPHONY_TEST_POSTGRES"));
}

/** Starts the registry if a file needs it. */
async function startRegistryFor(files: readonly string[]): Promise<TestRegistry | undefined> {
  if (!files.some((file) => graph.leadsTo(file, NEEDS_REGISTRY))) return undefined;
  const { startTestRegistry } = await import("./support/registry.ts");
  return await startTestRegistry();
}

/** Waits until the server and the registry run that a job needs. Returns the variables with their addresses. */
async function environmentOf({ files }: Job): Promise<Record<string, string>> {
  const needs = (target: string) => files.some((file) => graph.leadsTo(file, target));
  const { url } = needs(NEEDS_SERVER) && await server || {};
  const { url: registryUrl, version, folder } = needs(NEEDS_REGISTRY) && await registry || {};
  return {
    ...(url && { SYMPHONY_TEST_SERVER_URL: url }),
    ...(registryUrl && { SYMPHONY_TEST_REGISTRY_URL: registryUrl }),
    ...(version && { SYMPHONY_TEST_PACKAGE_VERSION: version }),
    ...(folder && { SYMPHONY_TEST_REGISTRY_FOLDER: folder }),
  };
}

/** Runs a job to its end. Its output is shown when it has ended, or at once if there is no other job. */
async function run(job: Job): Promise<JobResults> {
  const env = await environmentOf(job);
  const report = `${reports}/${crypto.randomUUID()}.xml`;
  const startedAt = performance.now();
  const { code, cpuS } = await runDeno([
    ...["test", "--allow-all", "--no-prompt", `--junit-path=${report}`],
    // deno.lock has no packages for tests, so that `task start` does not download them.
    "--lock=deno.dev.lock",
    ...options,
    ...job.files,
  ], env);
  const results = resultsOf(await Deno.readTextFile(report).catch(() => ""), job.name);
  // A file that breaks off before its tests are known is in no report.
  const failed = code !== 0 && results.failed.length === 0
    ? [`${job.name}: did not load, or broke off: Deno ended with ${code}`]
    : results.failed;
  const wallS = (performance.now() - startedAt) / 1000;
  const figures = { ...results, ...job, failed, code, wallS, cpuS };
  if (jobs.length > 1) console.log(figuresOf(figures));
  return figures;
}

async function runDeno(
  args: readonly string[],
  env: Record<string, string>,
): Promise<{ code: number; cpuS: number }> {
  if (jobs.length === 1) {
    const { code } = await new Deno.Command(Deno.execPath(), { args: [...args], env }).spawn()
      .status;
    return { code, cpuS: 0 };
  }
  const { code, stdout } = await new Deno.Command("sh", {
    // The shell's `times` has the CPU time of its children, and of theirs, that have ended.
    args: [
      ...["-c", '"$@" 2>&1; code=$?; times; exit $code', "sh"],
      ...[
        "timeout",
        "--foreground",
        "--kill-after=10",
        String(TIMEOUT_S),
        Deno.execPath(),
        ...args,
      ],
    ],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  const times = lines.splice(-2).at(-1) ?? "";
  console.log(lines.join("\n"));
  const cpuS = [...times.matchAll(/(\d+)m([\d.]+)s/g)]
    .reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
  return { code, cpuS };
}

/** The test files at a path, in order. @throws Deno.errors.NotFound if there is nothing at it */
function testFiles(path: string): string[] {
  const plain = path.replace(/^\.\//, "").replace(/\/+$/, "");
  if (!Deno.statSync(plain).isDirectory) return [plain];
  const names = [...Deno.readDirSync(plain)].map(({ name }) => `${plain}/${name}`).sort();
  return names.flatMap((name) =>
    Deno.statSync(name).isDirectory || name.endsWith(".test.ts") ? testFiles(name) : []
  );
}

/** Paths of test files of one folder below tests/. */
function testsIn(folder: string, ...names: string[]): string[] {
  return names.map((name) => `tests/${folder}/${name}.test.ts`);
}

function isIn(file: string, paths: readonly string[]): boolean {
  return paths.some((path) => file === path || file.startsWith(`${path}/`));
}
