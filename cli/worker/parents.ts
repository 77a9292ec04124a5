/**
 * The npm or npx that started the command. It passes SIGTERM to the shell that it runs the command in: some shells
 * have become the command by then, others end and leave it running. No signal tells of an npx that was killed.
 */

import { readFileSync } from "node:fs";
import process from "node:process";

/** Interval between two looks at the parents. */
const INTERVAL_MS = 1_000;

/**
 * Calls back once when npm has vanished. Without npm nothing is watched: the parent is then a user's shell, which may
 * end for good reasons, as after `nohup`.
 * @returns ends the watch
 */
export function watchParents(onVanished: () => void): () => void {
  if (!process.env.npm_command) return () => {};
  const parent = process.ppid;
  const npm = parentOfShell(parent);
  const timer = setInterval(() => {
    if (process.ppid === parent && parentOfShell(parent) === npm) return;
    clearInterval(timer);
    onVanished();
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}

/**
 * The parent of a shell that runs a command; null if the process is no such shell, or cannot be looked at. Only Linux
 * has shells that do not become their last command.
 */
function parentOfShell(pid: number): number | null {
  try {
    if (!/^[^\0]*sh\0-c\0/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))) return null;
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Behind the name, which may hold spaces and parentheses.
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}
