/** `uninstall`: takes Symphony Messenger out of a project. */

import process from "node:process";
import type { Command } from "commander";
import type { Context } from "../messenger/context.ts";
import { dryRunOption, workdirOption } from "../project/options.ts";

/** In this order: the database calls functions, and functions that are gone are no harm. */
const STEPS = `
Next, push the migration, then delete the functions:

  npx supabase@3 db push --remote --yes      (Supabase CLI 2: db push --linked --yes)
  npx supabase@3 functions delete NAME       for each of the functions above

The migrations that were applied stay: the history names them.`;

/** Adds `uninstall`. */
export function addUninstall(program: Command, context: Context): void {
  program.command("uninstall")
    .description("takes Symphony Messenger out of the project, with one migration")
    .addOption(workdirOption())
    .addOption(dryRunOption())
    .option("--force", "has the migration drop messages that still wait")
    .action(async ({ workdir, force = false, dryRun = false }) => {
      const { findProject, readProject } = await import("../project/files.ts");
      const { planUninstall } = await import("./plan-uninstall.ts");
      const { carryOut } = await import("../project/report.ts");
      const { releases } = await import("../releases.ts");
      const root = findProject(process.cwd(), workdir);
      const files = readProject(root);
      const options = { releases: releases(), force, now: context.io.now() };
      const isNew = carryOut(planUninstall(files, options), { context, root, files, dryRun });
      if (isNew && !dryRun) context.io.print(STEPS);
    });
}
