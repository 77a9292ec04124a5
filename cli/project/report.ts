/** Tells a plan and carries it out: what all commands that write into a project have in common. */

import { CommandError, EXIT } from "../errors.ts";
import type { Context } from "../messenger/context.ts";
import type { Files } from "./files.ts";
import { ignoredNotes } from "./ignored.ts";
import { type Change, describeNote, type Plan } from "./plan.ts";
import { writeChanges } from "./write.ts";

/** Where and how a plan is carried out. */
export interface Execution {
  readonly context: Context;
  readonly root: string;
  readonly files: Files;
  readonly dryRun: boolean;
}

/**
 * Tells the notes, then writes the changes, or only tells them in a dry run.
 * @returns whether there was anything to do
 * @throws CommandError if the plan was refused, or a file could not be written
 */
export function carryOut(plan: Plan, { context, root, files, dryRun }: Execution): boolean {
  const { print, note } = context.io;
  const notes = [...plan.notes, ...ignoredNotes(root, plan.changes)];
  for (const found of notes) note(`${describeNote(found)}\n`);
  const refusals = plan.notes.filter(({ level }) => level === "refusal").length;
  if (refusals > 0) {
    const problems = refusals === 1 ? "1 problem" : `${refusals} problems`;
    throw new CommandError(EXIT.conflict, "refused", `nothing was written: ${problems}, see above`);
  }
  if (plan.changes.length === 0) {
    print("Nothing to do.");
    return false;
  }
  if (!dryRun) writeChanges(root, plan.changes, files);
  print(dryRun ? "Would write:" : "Wrote:");
  for (const change of plan.changes) print(`  ${describeChange(change, files, dryRun)}`);
  return true;
}

/** One line a file; in a dry run also the lines that a file of the user's gets or loses. */
function describeChange({ path, text }: Change, files: Files, dryRun: boolean): string {
  const before = files.get(path);
  const verb = text === null ? "remove" : before === undefined ? "create" : "change";
  if (!dryRun || verb !== "change") return `${verb} ${path}`;
  const [old, next] = [linesOf(before ?? ""), linesOf(text ?? "")];
  const lost = without(old, next).map((line) => `    - ${line}`);
  const added = without(next, old).map((line) => `    + ${line}`);
  return [`${verb} ${path}`, ...lost, ...added].join("\n");
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

/** The lines that the others lack, counted: two equal lines beside one leave one. */
function without(lines: readonly string[], others: readonly string[]): string[] {
  const rest = [...others];
  return lines.filter((line) => {
    const at = rest.indexOf(line);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}
