/**
 * Runs the tests, and ends with the line `N passed, N failed`.
 *
 *   deno task test [folder or file ...] [--ignore=path,...] [option of deno test ...]
 *
 * If a file needs Postgres, one server starts first, with a migrated database that tests copy. Most tests wait more than they compute, so that several files run side by side. Two variables:
 *
 * - SYMPHONY_TEST_POSTGRES: the folder of another Postgres's programs, such as Debian's, in place of the
 *   one from npm.
 * - SYMPHONY_TEST_JOBS: how many files run side by side at most (4).
 */

import { parseArgs } from "node:util";
import { ImportGraph } from "./support/imports.ts";
import type { TestRegistry } from "./support/registry.ts";
import type { TestServer } from "./support/server.ts";

/** How many files of these folders and files run at a time; of all others, LIMIT. */
const GROUPS: readonly { readonly jobs: number; readonly paths: readonly string[] }[] = [
  {
    // These bound how late something may be, or how long it is shown.
    jobs: 2,
    paths: [
      "tests/browser",
      "tests/integration/local_functions.test.ts",
      "tests/integration/local_stand_ins.test.ts",
      "tests/integration/queue_limits.test.ts",
      "tests/integration/wake.test.ts",
      "tests/integration/wake_budget.test.ts",
      "tests/integration/wake_in_time.test.ts",
    ],
  },
  {
    // These provoke races and failures at chosen moments, need much of the machine, count the processes
    // that the tests started, or change the environment: files that run side by side share one process.
    jobs: 1,
    paths: [
      "tests/fault",
      "tests/race",
      "tests/integration/local_stack.test.ts",
      "tests/integration/steps.test.ts",
      "tests/unit/runtime/option-names.test.ts",
    ],
  },
];
/** A file whose imports lead here needs the Postgres server. */
const NEEDS_SERVER = "tests/support/database.ts";
/** A file whose imports lead here needs the registry with the built package. */
const NEEDS_REGISTRY = "tests/support/package.ts";
/** Folders whose tests must run in seconds, and so without Postgres. */
const WITHOUT_SERVER = ["tests/unit", "examples"];
const LIMIT = Number(Deno.env.get("SYMPHONY_TEST_JOBS") ?? 4);
/** The file that takes longest starts first. */
const LONGEST = "tests/integration/bench.test.ts";

/** The results of some files: how many passed and were skipped, and the names of those that failed. */
interface Results {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: number;
}

Deno.chdir(new URL("..", import.meta.url));
// Unknown arguments are passed on to Deno.
const { values, positionals, tokens } = parseArgs({
  allowPositionals: true,
  strict: false,
  tokens: true,
  options: { ignore: { type: "string" }, filter: { type: "string" } },
});
const options = tokens.flatMap((token) => {
  if (token.kind !== "option" || token.name === "ignore") return [];
  return [token.value === undefined ? token.rawName : `${token.rawName}=${token.value}`];
});
const ignored = String(values.ignore ?? "").split(",");
const files = [
  ...new Set((positionals.length > 0 ? positionals : ["tests", "examples"]).flatMap(testFiles)),
]
  .filter((file) => !isIn(file, ignored));
const groupOf = (file: string) => GROUPS.find(({ paths }) => isIn(file, paths));
const others = files.filter((file) => !groupOf(file))
  .sort((a, b) => Number(b === LONGEST) - Number(a === LONGEST));

const registry = await startRegistryFor(files);
const server = await startServerFor(files);
const report = await Deno.makeTempFile({ suffix: ".xml" });
try {
  const parts = [await run(others, LIMIT)];
  for (const group of GROUPS) {
    parts.push(await run(files.filter((file) => groupOf(file) === group), group.jobs));
  }
  const sum = (name: "passed" | "skipped") => parts.reduce((sum, part) => sum + part[name], 0);
  const [passed, skipped, failed] = [
    sum("passed"),
    sum("skipped"),
    parts.flatMap((part) => part.failed),
  ];
  // Last, where a reader finds them: Deno shows a failure at the end of its group.
  for (const name of failed) console.log(`FAILED ${name}`);
  console.log(`${passed} passed, ${failed.length} failed${skipped ? `, ${skipped} skipped` : ""}`);
  Deno.exitCode = files.length === 0 || parts.some(({ code }) => code !== 0) ? 1 : 0;
} finally {
  await server?.stop();
  await registry?.stop();
  await Deno.remove(report);
}

/** Starts the server if a file needs it. @throws Error if a file that must do without needs it */
async function startServerFor(files: readonly string[]): Promise<TestServer | undefined> {
  const graph = new ImportGraph();
  const needing = files.filter((file) => graph.leadsTo(file, NEEDS_SERVER));
  const wrong = needing.find((file) => isIn(file, WITHOUT_SERVER));
  if (wrong) throw new Error(`${wrong}: a test without a stack must not import ${NEEDS_SERVER}`);
  if (needing.length === 0) return undefined;
  // Loaded only now, so that a unit test does not wait for Postgres's client either.
  const { startTestServer } = await import("./support/server.ts");
  return await startTestServer(Deno.env.get("SYMPHONY_TEST_POSTGRES"));
}

/** Starts the registry if a file needs it. */
async function startRegistryFor(files: readonly string[]): Promise<TestRegistry | undefined> {
  const graph = new ImportGraph();
  if (!files.some((file) => graph.leadsTo(file, NEEDS_REGISTRY))) return undefined;
  const { startTestRegistry } = await import("./support/registry.ts");
  return await startTestRegistry();
}

/** Runs files, `jobs` of them at a time. Returns Deno's exit code beside the results. */
async function run(files: readonly string[], jobs: number): Promise<Results & { code: number }> {
  if (files.length === 0) return { passed: 0, failed: [], skipped: 0, code: 0 };
  await Deno.writeTextFile(report, "");
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["test", "--allow-all", "--no-prompt", "--parallel", `--junit-path=${report}`],
      // deno.lock has no packages for tests, so that `task start` does not download them.
      "--lock=deno.dev.lock",
      ...options,
      ...files,
    ],
    env: {
      ...(server && { SYMPHONY_TEST_SERVER_URL: server.url }),
      ...(registry && {
        SYMPHONY_TEST_REGISTRY_URL: registry.url,
        SYMPHONY_TEST_PACKAGE_VERSION: registry.version,
        SYMPHONY_TEST_REGISTRY_FOLDER: registry.folder,
      }),
      DENO_JOBS: String(Math.min(jobs, LIMIT)),
    },
  }).spawn().status;
  const results = resultsOf(await Deno.readTextFile(report));
  // A file that breaks off before its tests are known is in no report.
  const failed = code !== 0 && results.failed.length === 0
    ? [`a file of this group did not load, or broke off: Deno ended with ${code}`]
    : results.failed;
  return { code, ...results, failed };
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

function isIn(file: string, paths: readonly string[]): boolean {
  return paths.some((path) => file === path || file.startsWith(`${path}/`));
}

/** Reads a JUnit report. */
function resultsOf(xml: string): Results {
  const cases = xml.match(/<testcase[^>]*?(?:\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  const failed = cases.filter((text) => /<(failure|error)\b/.test(text)).map(failureIn);
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - failed.length - skipped, failed, skipped };
}

/** A failed test case as one line: its file, its name, and the first line of what went wrong. */
function failureIn(testcase: string): string {
  const read = (attribute: string) =>
    new RegExp(`\\b${attribute}="([^"]*)"`).exec(testcase)?.[1] ?? "";
  const message = read("message").split(/&#10;|\n/)[0];
  return [`${read("classname")}: ${read("name")}`, message].join(" - ")
    .replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
