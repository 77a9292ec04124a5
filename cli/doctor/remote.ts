/** The knowledge of the database and the functions: objects, message types, the health. Over the management API. */

import { ApiError, EXIT } from "../errors.ts";
import type { Call } from "../messenger/client.ts";
import { showDuration } from "../messenger/times.ts";
import { releases } from "../releases.ts";
import { checkObjects, type Objects } from "./objects.ts";
import { checkReferences } from "./references.ts";
import { type Check, deploying, failed, FIX, passed, PUSH } from "./check.ts";

/** Health checks whose values are ms. */
const DURATIONS = new Set(["last tick", "oldest ready message", "overdue schedules", "cron_run"]);

/** Commands for the health checks that a command mends. */
const COMMANDS: Readonly<Record<string, string>> = {
  schema: PUSH,
  cron_job: FIX,
  cron_jobs: FIX,
  cron_schedule: FIX,
  vault_secrets: FIX,
  vault_url: FIX,
  "default queue": FIX,
  "dead letters in the last hour": "npx symphony-messenger failed list",
  "invalid schedules": "npx symphony-messenger schedules list",
};

interface HealthAnswer {
  readonly checks: readonly Omit<Check, "command">[];
  readonly versions?: { readonly library: string; readonly needs: string; readonly schema: string };
  readonly lastAnswer?: { readonly at: string; readonly status: number | null } | null;
}

/** The checks that the project itself answered. */
export interface Remote {
  readonly checks: Check[];
  /** The answer of the health; null if there was none. */
  readonly health: HealthAnswer | null;
  /** Stamps of the migrations that the database has; null if it does not tell. */
  readonly applied: readonly string[] | null;
}

/**
 * Asks the project.
 * @param search limits of the health, as a query
 * @param name of the function that is called
 */
export async function askProject(call: Call, search: string, name: string): Promise<Remote> {
  try {
    const health = (await call("GET", `/health?${search}`)).body as unknown as HealthAnswer;
    const { body: { types } } = await call("GET", "/types");
    const objects = (await call("GET", "/objects")).body as unknown as Objects;
    const checks = [
      checkObjects(objects, releases()),
      checkReferences(objects.references ?? []),
      checkTypes(types as readonly unknown[], name),
      ...health.checks.map((check) => withCommand(check, name)),
    ];
    return { checks, health, applied: objects.migrations ?? null };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { checks: [toCheck(error, name)], health: null, applied: null };
  }
}

function checkTypes(types: readonly unknown[], name: string): Check {
  if (types.length > 0) return passed("message types", types.length);
  const advice = "Export definitions from supabase/functions/_messages/mod.ts, and deploy.";
  return failed("message types", 0, advice, deploying(name));
}

function withCommand(check: Omit<Check, "command">, name: string): Check {
  const { found, limit } = check;
  const show = (value: unknown) =>
    typeof value === "number" && DURATIONS.has(check.name) ? showDuration(value) : value;
  const command = check.name === "asked ticks"
    ? commandFor(String(found), name)
    // A run that failed has a cause of its own, which its message tells.
    : check.name === "cron_run" && (found === "never" || typeof found === "number")
    ? FIX
    : null;
  return {
    ...check,
    found: show(found),
    limit: show(limit),
    command: check.ok ? null : command ?? COMMANDS[check.name] ?? null,
  };
}

/** A key or a URL that the function tick did not answer to is written again; a missing function is deployed. */
function commandFor(found: string, name: string): string {
  return found.startsWith("HTTP 404") ? deploying(name.replace(/messenger$/, "tick")) : FIX;
}

function toCheck(error: ApiError, name: string): Check {
  if (error.exitCode === EXIT.refused) {
    const advice = "The project refuses the key. See SUPABASE_SECRET_KEY.";
    return failed("connection", error.message, advice);
  }
  if (error.code === "misconfigured" || error.code === "outdated_schema") {
    const advice = "The schema is not there, or older than the functions need.";
    return failed("connection", error.message, advice, PUSH);
  }
  const advice = `See SUPABASE_URL, and whether the function ${name} is deployed.`;
  return failed("connection", error.message, advice, deploying(name));
}
