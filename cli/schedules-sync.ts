/**
 * Makes the schedules declared in `_messages/schedules.ts` those of a project.
 *
 *   deno task schedules:sync [--dry-run]
 *
 * The project is the one of SUPABASE_URL and SUPABASE_SECRET_KEY.
 */

import process from "node:process";
import { createClient } from "@supabase/supabase-js";
import { messages, schedules } from "../supabase/functions/_messages/mod.ts";
import {
  createMessenger,
  type SavedSchedule,
} from "../supabase/functions/_shared/symphony/index.ts";

const USAGE = "usage: deno task schedules:sync [--dry-run]";

async function sync(args: readonly string[]): Promise<string> {
  const unknown = args.find((argument) => argument !== "--dry-run");
  if (unknown !== undefined) throw new RangeError(`${unknown}: no such option\n${USAGE}`);
  const dryRun = args.includes("--dry-run");
  const supabase = createClient(variable("SUPABASE_URL"), variable("SUPABASE_SECRET_KEY"), {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const { scheduler } = createMessenger({ supabase, messages, schedules });
  return describe(await scheduler.sync({ dryRun }), dryRun);
}

function variable(name: string): string {
  const value = process.env[name];
  if (!value) throw new RangeError(`${name}: has to be set; the local stack writes .local/env`);
  return value;
}

function describe(saved: readonly SavedSchedule[], dryRun: boolean): string {
  const changed = saved.filter(({ change }) => change !== "unchanged");
  const lines = changed.map(({ change, name }) => `${change.padEnd(8)} ${name}`);
  const count = `${changed.length} of ${saved.length} schedules`;
  return [...lines, dryRun ? `${count} would change` : `${count} changed`].join("\n");
}

try {
  console.log(await sync(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
