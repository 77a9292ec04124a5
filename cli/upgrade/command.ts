/** `upgrade`: brings a project's migrations and functions to this package's release. */

import process from "node:process";
import type { Command } from "commander";
import type { Context } from "../messenger/context.ts";
import { dryRunOption, workdirOption } from "../project/options.ts";

/** Adds `upgrade`. */
export function addUpgrade(program: Command, context: Context): void {
  program.command("upgrade")
    .description("adds the migrations of later releases, and has the functions use this release")
    .addOption(workdirOption())
    .addOption(dryRunOption())
    .action(async ({ workdir, dryRun = false }) => {
      const { findProject, readProject } = await import("../project/files.ts");
      const { planUpgrade } = await import("./plan-upgrade.ts");
      const { carryOut } = await import("../project/report.ts");
      const { deploySteps } = await import("../project/next-steps.ts");
      const { releases } = await import("../releases.ts");
      const root = findProject(process.cwd(), workdir);
      const files = readProject(root);
      const plan = planUpgrade(files, { releases: releases(), now: context.io.now() });
      const isNew = carryOut(plan, { context, root, files, dryRun });
      if (!isNew || dryRun) return;
      context.io.print(`\nFrom release ${plan.from} to ${plan.to}. ${deploySteps(plan.prefix)}`);
    });
}
