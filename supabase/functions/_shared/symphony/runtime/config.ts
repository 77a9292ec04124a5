/** Settings from environment variables and the project's code, checked once when a function starts. */

import { z } from "zod";
import { variable, variableNames } from "./environment.ts";
import { LOG_LEVELS } from "./log.ts";
import { checkNames, nearest } from "./option-names.ts";

/** The settings of the functions. */
export interface Config {
  readonly schedulerBatchSize: number;
  readonly workerBatchSize: number;
  readonly workerConcurrency: number;
  readonly leaseMs: number;
  readonly tickBudgetMs: number;
  readonly tickMaxMs: number;
  readonly tickCpuMs: number;
  readonly tickMaxMessages: number;
  readonly maxRetryAfterMs: number;
  readonly maxUserSchedules: number;
  readonly maxBodyBytes: number;
  readonly adminRoles: readonly string[];
  readonly readOnlyRoles: readonly string[];
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly logLimit: number;
}

/** The settings that a project gives in code. */
export type ProjectSettings = Partial<Config>;

/** A setting: its value by default, and the check of a text that gives another. */
interface Setting<Value> {
  readonly fallback: Value;
  /** Makes the schema. Most settings are given nowhere, and all schemas took 5 ms of each cold start. */
  readonly schema: () => z.ZodType<Value>;
}

const wholeNumber = (fallback: number, smallest: number, largest: number): Setting<number> => ({
  fallback,
  schema: () =>
    z.string().regex(/^\d+$/, "has to be a whole number").transform(Number)
      .pipe(z.number().min(smallest).max(largest)),
});

const names: Setting<readonly string[]> = {
  fallback: [],
  schema: () =>
    z.string().transform((list) =>
      list.split(",").map((name) => name.trim()).filter((name) => name !== "")
    ),
};

const SETTINGS: { readonly [Name in keyof Config]: Setting<Config[Name]> } = {
  /** Schedules that a tick processes at once. */
  schedulerBatchSize: wholeNumber(100, 1, 1000),
  /** Prefetch size: messages that a tick holds at once. */
  workerBatchSize: wholeNumber(500, 1, 5000),
  /** Handlers that a tick runs at once. */
  workerConcurrency: wholeNumber(10, 1, 1000),
  /** Length of a lease without a heartbeat, in ms. */
  leaseMs: wholeNumber(60_000, 100, 3_600_000),
  /** Time in which a tick claims and starts messages, in ms. */
  tickBudgetMs: wholeNumber(50_000, 100, 399_000),
  /** Age at which a tick stops handlers that still run, in ms; the platform kills it soon after. */
  tickMaxMs: wholeNumber(140_000, 200, 400_000),
  /** CPU time after which a tick leaves the rest to its successor, in ms; 0 is no limit. */
  tickCpuMs: wholeNumber(1_500, 0, 3_600_000),
  /** Number of started messages after which a tick leaves the rest to its successor. */
  tickMaxMessages: wholeNumber(10_000, 1, 1_000_000),
  /** Longest Retry-After that a retry waits for, in ms. */
  maxRetryAfterMs: wholeNumber(86_400_000, 0, 31_536_000_000),
  /** Unfinished schedules that a user may have. */
  maxUserSchedules: wholeNumber(100, 0, 100_000),
  /** Largest body that `dispatch` takes, in bytes. */
  maxBodyBytes: wholeNumber(1_048_576, 1024, 10_485_760),
  /** Roles in a user's app_metadata that may use the management API, separated by commas. */
  adminRoles: names,
  /** Roles that may only read the management API. */
  readOnlyRoles: names,
  /** Least serious log level that is written. */
  logLevel: { fallback: "info", schema: () => z.enum(LOG_LEVELS) },
  /** Most log lines in 10 s; 0 is no limit. */
  logLimit: wholeNumber(100, 0, 1_000_000),
};

const VARIABLES: Readonly<Record<keyof Config, string>> = {
  schedulerBatchSize: "SYMPHONY_SCHEDULER_BATCH_SIZE",
  workerBatchSize: "SYMPHONY_WORKER_BATCH_SIZE",
  workerConcurrency: "SYMPHONY_WORKER_CONCURRENCY",
  leaseMs: "SYMPHONY_WORKER_LEASE_MS",
  tickBudgetMs: "SYMPHONY_TICK_BUDGET_MS",
  tickMaxMs: "SYMPHONY_TICK_MAX_MS",
  tickCpuMs: "SYMPHONY_TICK_CPU_MS",
  tickMaxMessages: "SYMPHONY_TICK_MAX_MESSAGES",
  maxRetryAfterMs: "SYMPHONY_MAX_RETRY_AFTER_MS",
  maxUserSchedules: "SYMPHONY_MAX_USER_SCHEDULES",
  maxBodyBytes: "SYMPHONY_MAX_BODY_BYTES",
  adminRoles: "SYMPHONY_ADMIN_ROLES",
  readOnlyRoles: "SYMPHONY_READ_ONLY_ROLES",
  logLevel: "SYMPHONY_LOG_LEVEL",
  logLimit: "SYMPHONY_LOG_LIMIT",
};
const NAMES = Object.keys(VARIABLES) as (keyof Config)[];

/**
 * Reads the settings.
 * @param get reads a variable; default: the environment, where a misspelled `SYMPHONY_` name is refused
 * @param project settings in code. A variable that is set wins over them, so that operators change a
 * setting without a deploy
 * @param others options beside the settings, which an error about a misspelled name may offer
 * @throws RangeError that names each wrong variable, or setting in code, and its problem
 */
export function readConfig(
  get?: (name: string) => string | undefined,
  project: ProjectSettings = {},
  others: readonly string[] = [],
): Config {
  checkNames(project, [...NAMES, ...others], "config: ");
  if (!get) checkVariables(variableNames(), Object.values(VARIABLES));
  const read = get ?? variable;
  const values = new Map<keyof Config, unknown>();
  const problems: string[] = [];
  const refuse = (name: keyof Config, problem: string) => {
    const isInCode = !read(VARIABLES[name]) && project[name] !== undefined;
    problems.push(`${isInCode ? `config.${name}` : VARIABLES[name]}: ${problem}`);
  };
  for (const name of NAMES) {
    const text = read(VARIABLES[name]);
    const { fallback, schema } = SETTINGS[name];
    const given = text || (project[name] === undefined ? undefined : String(project[name]));
    const parsed = given === undefined ? undefined : schema().safeParse(given);
    values.set(name, parsed ? parsed.data : fallback);
    for (const { message } of parsed?.error?.issues ?? []) refuse(name, message);
  }
  const config = Object.fromEntries(values) as unknown as Config;
  if (problems.length === 0 && config.tickBudgetMs >= config.tickMaxMs) {
    refuse("tickBudgetMs", `has to be less than ${VARIABLES.tickMaxMs}`);
  }
  if (problems.length === 0) return config;
  throw new RangeError(problems.join("; "));
}

function checkVariables(given: readonly string[], known: readonly string[]): void {
  for (const name of given) {
    if (!name.startsWith("SYMPHONY_") || known.includes(name)) continue;
    const meant = nearest(name, known);
    if (meant) throw new RangeError(`${name}: no such variable; did you mean ${meant}?`);
  }
}
