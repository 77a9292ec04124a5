/** Settings from the environment, and log lines. */

import { assertEquals, assertThrows } from "@std/assert";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

Deno.test("with nothing set, the settings are the documented defaults", () => {
  assertEquals(readConfig(() => undefined), {
    schedulerBatchSize: 100,
    workerBatchSize: 500,
    workerConcurrency: 10,
    leaseMs: 60_000,
    tickBudgetMs: 50_000,
    tickMaxMs: 140_000,
    tickCpuMs: 1_500,
    tickMaxMessages: 10_000,
    maxRetryAfterMs: 86_400_000,
    maxUserSchedules: 100,
    maxBodyBytes: 1_048_576,
    adminRoles: [],
    readOnlyRoles: [],
    logLevel: "info",
    logLimit: 100,
  });
});

Deno.test("a setting is read, and an empty one counts as not set", () => {
  const env: Record<string, string> = {
    SYMPHONY_TICK_BUDGET_MS: "1500",
    SYMPHONY_WORKER_BATCH_SIZE: "",
  };
  const config = readConfig((name) => env[name]);
  assertEquals([config.tickBudgetMs, config.workerBatchSize], [1500, 500]);
});

Deno.test("roles are read as a list, in which spaces and empty names do not count", () => {
  const config = readConfig((name) =>
    name === "SYMPHONY_ADMIN_ROLES" ? " ops, ,admin," : undefined
  );
  assertEquals([config.adminRoles, config.readOnlyRoles], [["ops", "admin"], []]);
});

for (const value of ["0", "-5", "1.5", "ten", "1e3", "5001", " 5"]) {
  Deno.test(`a batch size of '${value}' is refused with the variable's name`, () => {
    assertThrows(
      () => readConfig((name) => name === "SYMPHONY_WORKER_BATCH_SIZE" ? value : undefined),
      RangeError,
      "SYMPHONY_WORKER_BATCH_SIZE",
    );
  });
}

Deno.test("a tick's budget that leaves its handlers no time before the hard end is refused", () => {
  const env: Record<string, string> = {
    SYMPHONY_TICK_BUDGET_MS: "140000",
    SYMPHONY_TICK_MAX_MS: "140000",
  };
  assertThrows(
    () => readConfig((name) => env[name]),
    RangeError,
    "SYMPHONY_TICK_BUDGET_MS: has to be less than SYMPHONY_TICK_MAX_MS",
  );
  assertEquals(
    readConfig((name) => ({ ...env, SYMPHONY_TICK_MAX_MS: "140001" })[name]).tickMaxMs,
    140_001,
  );
});

Deno.test("a tick's CPU may be set to 0, its number of messages may not", () => {
  assertEquals(
    readConfig((name) => name === "SYMPHONY_TICK_CPU_MS" ? "0" : undefined).tickCpuMs,
    0,
  );
  assertThrows(
    () => readConfig((name) => name === "SYMPHONY_TICK_MAX_MESSAGES" ? "0" : undefined),
    RangeError,
    "SYMPHONY_TICK_MAX_MESSAGES",
  );
});

Deno.test("a setting in a project's code holds until its variable is set", () => {
  const project = { workerConcurrency: 50, adminRoles: ["ops"], logLevel: "warn" } as const;
  const inCode = readConfig(() => undefined, project);
  assertEquals(
    [inCode.workerConcurrency, inCode.adminRoles, inCode.logLevel, inCode.workerBatchSize],
    [50, ["ops"], "warn", 500],
  );
  const env: Record<string, string> = { SYMPHONY_WORKER_CONCURRENCY: "20" };
  const config = readConfig((name) => env[name], project);
  assertEquals([config.workerConcurrency, config.adminRoles], [20, ["ops"]]);
});

const inCode: [project: object, message: string][] = [
  [{ workerConcurrency: 0 }, "config.workerConcurrency: "],
  [{ workerConcurrency: 1.5 }, "config.workerConcurrency: has to be a whole number"],
  [{ logLevel: "loud" }, "config.logLevel: "],
  [{ tickBudgetMs: 140_000 }, "config.tickBudgetMs: has to be less than SYMPHONY_TICK_MAX_MS"],
  [{ concurrency: 5 }, "config: concurrency: no such option"],
  [{ tickBudgetMS: 5 }, "config: tickBudgetMS: no such option; did you mean tickBudgetMs?"],
];
for (const [project, message] of inCode) {
  Deno.test(`the settings ${JSON.stringify(project)} in a project's code are refused by name`, () => {
    assertThrows(() => readConfig(() => undefined, project), RangeError, message);
  });
}

Deno.test("all wrong settings are named at once", () => {
  const error = assertThrows(
    () => readConfig((name) => name.endsWith("_MS") || name.endsWith("LEVEL") ? "x" : undefined),
    RangeError,
  );
  for (const name of ["LEASE_MS", "TICK_BUDGET_MS", "LOG_LEVEL"]) {
    assertEquals(error.message.includes(name), true, name);
  }
});

Deno.test("a log line is one JSON object with its level, time, event and fields", () => {
  const lines: string[] = [];
  const now = () => new Date("2026-03-01T12:00:00Z");
  const log = createLogger({ write: (_level, line) => lines.push(line), now }).with({ id: "7" });
  log.info("tick", { claimed: 2 });
  log.debug("not written");
  assertEquals(lines.map((line) => JSON.parse(line)), [
    { level: "info", time: "2026-03-01T12:00:00.000Z", event: "tick", id: "7", claimed: 2 },
  ]);
});

Deno.test("lines below the level are not written", () => {
  const lines: string[] = [];
  const log = createLogger({ level: "error", write: (_level, line) => lines.push(line) });
  log.info("a");
  log.warn("b");
  log.error("c");
  assertEquals(lines.map((line) => JSON.parse(line).event), ["c"]);
});

Deno.test("every variable is described in docs/configuration.md", async () => {
  const names: string[] = [];
  readConfig((name) => void names.push(name));
  const page = new URL("../../../docs/configuration.md", import.meta.url);
  const text = await Deno.readTextFile(page);
  assertEquals(names.filter((name) => !text.includes(`| \`${name}\``)), []);
});
