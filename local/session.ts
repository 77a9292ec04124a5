// Shared by the commands that run a stack in the foreground: they end with Ctrl-C, with the program
// that they were started through, or with their data folder, and tell where the stack is.
import { HOSTED_LIMITS } from "./function_process.ts";
import { type Stack, StackError } from "./stack.ts";
import { watchFolder, watchLaunchers } from "./watch.ts";

/** Variables of the functions on this machine, as secrets are on a hosted project. */
export const OWN_VARIABLES: string =
  new URL("../supabase/functions/.env", import.meta.url).pathname;
/** The folder of database and keys when the command line names none. */
export const DEFAULT_DATA_DIR: string = new URL("../.local", import.meta.url).pathname;

/**
 * Runs a command until it returns or its signal is aborted: by Ctrl-C, by SIGTERM, or because the
 * program that it was started through has ended. A second Ctrl-C ends the process at once.
 * @throws StackError that aborted the signal, and whatever the command throws by itself
 */
export async function untilStopped(
  run: (stopping: AbortController) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController();
  abortOnSignal(stopping);
  using _launchers = asDisposable(watchLaunchers(() => stopping.abort()));
  try {
    await run(stopping);
  } catch (error) {
    // Ctrl-C also ends a child process that runs just then, such as the Supabase CLI. That is no failure.
    const { aborted, reason } = stopping.signal;
    if (!aborted) throw error;
    if (reason instanceof StackError) throw reason;
  }
  console.log("Stopped.");
}

/** Waits for a promise, and throws the signal's reason as soon as the signal is aborted. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => aborted.reject(signal.reason));
  if (signal.aborted) aborted.reject(signal.reason);
  return Promise.race([promise, aborted.promise]);
}

/** Aborts with a StackError when the data folder is gone; the caller disposes of the watch. */
export function stopWithoutFolder(dataDir: string, stopping: AbortController): Disposable {
  return asDisposable(watchFolder(dataDir, (error) => stopping.abort(error)));
}

/**
 * Prints where the stack is and writes the same variables to `env` in its data folder, with those names beside
 * them that Vite shows to browsers. The secret key has none.
 */
export async function tellEnvironment(stack: Stack, dataDir: string): Promise<void> {
  const forBrowsers = {
    SUPABASE_URL: stack.url,
    SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
  };
  const variables = Object.entries({
    ...forBrowsers,
    SUPABASE_SECRET_KEY: stack.secretKey,
    SUPABASE_DB_URL: stack.dbUrl,
  });
  const ofVite = Object.entries(forBrowsers).map(([name, value]) => [`VITE_${name}`, value]);
  const file = [...variables, ...ofVite].map(([name, value]) => `${name}="${value}"\n`).join("");
  await Deno.writeTextFile(`${dataDir}/env`, file, { mode: 0o600 });
  const folder = dataDir === DEFAULT_DATA_DIR ? ".local" : dataDir;
  const lines = variables.map(([name, value]) => `  ${name}=${value}`);
  console.log(`${lines.join("\n")}\n(also in ${folder}/env)\n\n${describeLimits()}`);
}

/** Runs a command's main function and ends the process with its exit code, or with 1 and its error. */
export async function exitWith(main: () => Promise<void>): Promise<never> {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof StackError ? error.message : error);
    Deno.exit(1);
  }
  Deno.exit(0);
}

function abortOnSignal(controller: AbortController): void {
  const onSignal = () => controller.signal.aborted ? Deno.exit(130) : controller.abort();
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
}

function asDisposable(dispose: () => void): Disposable {
  return { [Symbol.dispose]: dispose };
}

function describeLimits(): string {
  const { wallMs, cpuMs, memoryMb } = HOSTED_LIMITS;
  return `A function's process may use ${wallMs / 1000} s, ${cpuMs / 1000} s of CPU and ` +
    `${memoryMb} MB, as on the hosted platform.`;
}
