/** `init`: makes a Supabase project one that has Symphony Messenger. */

import process from "node:process";
import type { Command } from "commander";
import type { Context } from "../messenger/context.ts";
import { dryRunOption, workdirOption } from "../project/options.ts";

/** Adds `init`. */
export function addInit(program: Command, context: Context): void {
  program.command("init")
    .description("adds Symphony Messenger to the Supabase project of this folder")
    .addOption(workdirOption())
    .option("--prefix <prefix>", "what the functions' names begin with, such as bus-")
    .addOption(dryRunOption())
    .action(async ({ workdir, prefix, dryRun = false }) => {
      const { findProject, readProject } = await import("../project/files.ts");
      const { planInit } = await import("./plan-init.ts");
      const { carryOut } = await import("../project/report.ts");
      const { deploySteps } = await import("../project/next-steps.ts");
      const { releases } = await import("../releases.ts");
      const root = findProject(process.cwd(), workdir);
      const files = readProject(root);
      const plan = planInit(files, {
        releases: releases(),
        now: context.io.now(),
        ...(prefix !== undefined && { prefix }),
      });
      const isNew = carryOut(plan, { context, root, files, dryRun });
      if (isNew && !dryRun) context.io.print(`\n${deploySteps(plan.prefix)}`);
    });
}
