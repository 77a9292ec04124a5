/** Runs Deno as a child: passes signals and exit codes on, and leaves no child behind. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import { watchParents } from "./parents.ts";
import { DENO_ENV } from "./program.ts";

/** A handler that keeps the event loop busy keeps its process from ending: it is killed this long after its grace. */
const KILL_AFTER_MS = 10_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** The child. */
export interface Supervised {
  readonly deno: string;
  readonly args: readonly string[];
  /** Variables beside those of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** How long it may work after the first signal, in ms. */
  readonly graceMs: number;
}

/** Runs the child to its end. @returns its exit code, or 128 and the number of the signal that ended it */
export function supervise({ deno, args, env, graceMs }: Supervised): Promise<number> {
  const child = spawn(deno, args, {
    // The pipe is never written to: it closes when this process ends, however that ends.
    stdio: ["pipe", "inherit", "inherit"],
    // Ctrl-C reaches a whole group of processes: the child would take the one that is passed on for a second.
    detached: process.platform !== "win32",
    env: { ...process.env, ...DENO_ENV, ...env },
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Not by child.kill(): Deno then takes the child for ended, and closes its pipe.
  const send = (signal: NodeJS.Signals) => {
    if (child.pid !== undefined) process.kill(child.pid, signal);
  };
  const pass = (signal: NodeJS.Signals) => {
    send(signal === "SIGHUP" ? "SIGTERM" : signal);
    timer ??= setTimeout(() => send("SIGKILL"), graceMs + KILL_AFTER_MS);
  };
  for (const signal of SIGNALS) process.on(signal, pass);
  const endWatch = watchParents(() => pass("SIGTERM"));
  return new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on(
      "exit",
      (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)),
    );
  }).finally(() => {
    clearTimeout(timer);
    endWatch();
    for (const signal of SIGNALS) process.off(signal, pass);
  });
}
