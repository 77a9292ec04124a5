/** Settings from environment variables, checked once when a function starts. */

import { z } from "zod";
import { LOG_LEVELS } from "./log.ts";
import { nearest } from "./option-names.ts";

const wholeNumber = (fallback: number, smallest: number, largest: number) =>
  z.string().regex(/^\d+$/, "has to be a whole number").transform(Number)
    .pipe(z.number().min(smallest).max(largest))
    .default(fallback);

const names = z.string().default("").transform((list) =>
  list.split(",").map((name) => name.trim()).filter((name) => name !== "")
);

const environment = z.object({
  /** Schedules that a tick processes at once. */
  SYMPHONY_SCHEDULER_BATCH_SIZE: wholeNumber(100, 1, 1000),
  /** Prefetch size: messages that a tick holds at once. */
  SYMPHONY_WORKER_BATCH_SIZE: wholeNumber(500, 1, 5000),
  /** Handlers that a tick runs at once. */
  SYMPHONY_WORKER_CONCURRENCY: wholeNumber(10, 1, 1000),
  /** Length of a lease without a heartbeat, in ms. */
  SYMPHONY_WORKER_LEASE_MS: wholeNumber(60_000, 100, 3_600_000),
  /** Time in which a tick claims and starts messages, in ms. */
  SYMPHONY_TICK_BUDGET_MS: wholeNumber(50_000, 100, 399_000),
  /** Age at which a tick stops handlers that still run, in ms; the platform kills it soon after. */
  SYMPHONY_TICK_MAX_MS: wholeNumber(140_000, 200, 400_000),
  /** CPU time after which a tick leaves the rest to its successor, in ms; 0 is no limit. */
  SYMPHONY_TICK_CPU_MS: wholeNumber(1_500, 0, 3_600_000),
  /** Number of started messages after which a tick leaves the rest to its successor. */
  SYMPHONY_TICK_MAX_MESSAGES: wholeNumber(10_000, 1, 1_000_000),
  /** Longest Retry-After that a retry waits for, in ms. */
  SYMPHONY_MAX_RETRY_AFTER_MS: wholeNumber(86_400_000, 0, 31_536_000_000),
  /** Unfinished schedules that a user may have. */
  SYMPHONY_MAX_USER_SCHEDULES: wholeNumber(100, 0, 100_000),
  /** Largest body that `dispatch` takes, in bytes. */
  SYMPHONY_MAX_BODY_BYTES: wholeNumber(1_048_576, 1024, 10_485_760),
  /** Roles in a user's app_metadata that may use the management API, separated by commas. */
  SYMPHONY_ADMIN_ROLES: names,
  /** Roles that may only read the management API. */
  SYMPHONY_READ_ONLY_ROLES: names,
  /** Least serious log level that is written. */
  SYMPHONY_LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
}).refine((env) => env.SYMPHONY_TICK_BUDGET_MS < env.SYMPHONY_TICK_MAX_MS, {
  path: ["SYMPHONY_TICK_BUDGET_MS"],
  message: "has to be less than SYMPHONY_TICK_MAX_MS",
});

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
}

/**
 * Reads the settings.
 * @param get reads a variable; default: the environment, where a misspelled `SYMPHONY_` name is refused
 * @throws RangeError that names each wrong variable and its problem
 */
export function readConfig(get?: (name: string) => string | undefined): Config {
  const names = Object.keys(environment.shape);
  if (!get) checkVariables(Object.keys(Deno.env.toObject()), names);
  const read = get ?? ((name: string) => Deno.env.get(name));
  const parsed = environment.safeParse(
    Object.fromEntries(names.map((name) => [name, read(name) || undefined])),
  );
  if (!parsed.success) {
    throw new RangeError(
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  }
  const env = parsed.data;
  return {
    schedulerBatchSize: env.SYMPHONY_SCHEDULER_BATCH_SIZE,
    workerBatchSize: env.SYMPHONY_WORKER_BATCH_SIZE,
    workerConcurrency: env.SYMPHONY_WORKER_CONCURRENCY,
    leaseMs: env.SYMPHONY_WORKER_LEASE_MS,
    tickBudgetMs: env.SYMPHONY_TICK_BUDGET_MS,
    tickMaxMs: env.SYMPHONY_TICK_MAX_MS,
    tickCpuMs: env.SYMPHONY_TICK_CPU_MS,
    tickMaxMessages: env.SYMPHONY_TICK_MAX_MESSAGES,
    maxRetryAfterMs: env.SYMPHONY_MAX_RETRY_AFTER_MS,
    maxUserSchedules: env.SYMPHONY_MAX_USER_SCHEDULES,
    maxBodyBytes: env.SYMPHONY_MAX_BODY_BYTES,
    adminRoles: env.SYMPHONY_ADMIN_ROLES,
    readOnlyRoles: env.SYMPHONY_READ_ONLY_ROLES,
    logLevel: env.SYMPHONY_LOG_LEVEL,
  };
}

function checkVariables(given: readonly string[], known: readonly string[]): void {
  for (const name of given) {
    if (!name.startsWith("SYMPHONY_") || known.includes(name)) continue;
    const meant = nearest(name, known);
    if (meant) throw new RangeError(`${name}: no such variable; did you mean ${meant}?`);
  }
}
