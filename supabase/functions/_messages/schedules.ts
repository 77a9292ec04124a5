/**
 * The schedules of this project that are declared in code. The first tick after a deploy makes the
 * table so, or `deno task schedules:sync` does; one that is taken away here is disabled there.
 *
 * ```ts
 * defineSchedule(EmailMessage, { to: "team@example.org", template: "digest" }, {
 *   name: "weekly-digest",
 *   type: "cron",
 *   config: { cron: "0 9 * * mon" },
 *   timezone: "Europe/London",
 * }),
 * ```
 */

import type { DeclaredSchedule } from "../_shared/symphony/index.ts";

/** Every declared schedule of this project. */
export const schedules: readonly DeclaredSchedule[] = [];
