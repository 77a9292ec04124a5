/** Reads what Deno reports of test files, and sums it up. */

/** The results of some files: how many passed and were skipped, and the names of those that failed. */
export interface Results {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: number;
  /** The names of tests that failed first and passed when their file ran again, alone. */
  readonly flaky?: readonly string[];
}

/** The results of files that ran in one process. */
export interface JobResults extends Results {
  /** The file, or the folder of the files. */
  readonly name: string;
  readonly files: readonly string[];
  readonly code: number;
  /** Seconds from its start to its end. */
  readonly wallS: number;
  /** CPU time of the process and of its children, in seconds; the shared Postgres server's is not in it. */
  readonly cpuS: number;
}

/**
 * Reads a JUnit report.
 * @param name of the file that it is about: the report names the file that registered a test, such as a fixture
 */
export function resultsOf(xml: string, name: string): Results {
  const cases = xml.match(/<testcase[^>]*?(?:\/>|>[\s\S]*?<\/testcase>)/g) ?? [];
  const failed = cases.filter((text) => /<(failure|error)\b/.test(text))
    .map((text) => `${name}: ${failureIn(text)}`);
  const skipped = cases.filter((text) => /<skipped\b/.test(text)).length;
  return { passed: cases.length - failed.length - skipped, failed, skipped };
}

/** A failed test case as one line: its name, and the first line of what went wrong. */
function failureIn(testcase: string): string {
  const read = (attribute: string) =>
    new RegExp(`\\b${attribute}="([^"]*)"`).exec(testcase)?.[1] ?? "";
  const message = read("message").split(/&#10;|\n/)[0];
  return [read("name"), message].join(" - ")
    .replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** The last lines of a run: the failures, where a reader finds them, and `N passed, N failed`. */
export function summaryOf(jobs: readonly Results[]): string {
  const sum = (name: "passed" | "skipped") => jobs.reduce((sum, job) => sum + job[name], 0);
  const failed = jobs.flatMap((job) => job.failed);
  const flaky = jobs.flatMap((job) => job.flaky ?? []);
  const skipped = sum("skipped");
  return [
    ...flaky.map((name) => `FLAKY ${name}`),
    ...failed.map((name) => `FAILED ${name}`),
    [
      `${sum("passed")} passed, ${failed.length} failed`,
      ...(skipped ? [`${skipped} skipped`] : []),
      ...(flaky.length > 0 ? [`${flaky.length} flaky`] : []),
    ].join(", "),
  ].join("\n");
}

/**
 * Runs the jobs that failed once more, one at a time, and replaces the results of those that pass then: a test that
 * fails only beside others is told as flaky. More failures than `most` are no accident, and stay.
 */
export async function withReruns(
  results: readonly JobResults[],
  most: number,
  run: (job: JobResults) => Promise<JobResults>,
): Promise<JobResults[]> {
  const failing = results.filter(({ code }) => code !== 0);
  if (failing.length > most) return [...results];
  const replaced = new Map<string, JobResults>();
  for (const job of failing) {
    const again = await run(job);
    if (again.code === 0) replaced.set(job.name, { ...again, flaky: job.failed });
  }
  return results.map((result) => replaced.get(result.name) ?? result);
}

/**
 * The files that took longest, at most `count` of them, with their wall clock and CPU time.
 * @param serverCpuS CPU time of the shared Postgres server, in seconds
 */
export function slowestOf(jobs: readonly JobResults[], count: number, serverCpuS = 0): string {
  const cpuS = jobs.reduce((sum, job) => sum + job.cpuS, 0);
  return [
    `The slowest files, by wall clock and CPU time (${cpuS.toFixed(0)} s of CPU time in all, and ${
      serverCpuS.toFixed(0)
    } s of the shared Postgres):`,
    ...jobs.toSorted((a, b) => b.wallS - a.wallS).slice(0, count).map(figuresOf),
  ].join("\n");
}

/** A line with a job's figures. */
export function figuresOf({ name, wallS, cpuS }: JobResults): string {
  return `${wallS.toFixed(1).padStart(7)} s ${cpuS.toFixed(1).padStart(7)} s  ${name}`;
}
