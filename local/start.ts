// `deno task start`: starts the local stack, tells where it is, runs the demo and stays until Ctrl-C.
import { parseArguments, USAGE } from "./arguments.ts";
import { runDemo } from "./demo.ts";
import { HOSTED_LIMITS } from "./function_process.ts";
import { type Stack, StackError, startStack } from "./stack.ts";
import { watchFolder, watchLaunchers } from "./watch.ts";

const DEFAULT_DATA_DIR = new URL("../.local", import.meta.url).pathname;

/** Runs until it is told to stop; answers the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const { port, demo, reset, help, dataDir = DEFAULT_DATA_DIR } = parseArguments(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const stopping = new AbortController();
  abortOnSignal(stopping);
  using _launchers = asDisposable(watchLaunchers(() => stopping.abort()));
  console.log("Starting the local stack ...");
  try {
    await using stack = await startStack({
      port,
      reset,
      dataDir,
      warmUp: true,
      limits: HOSTED_LIMITS,
      signal: stopping.signal,
      log: "inherit",
    });
    using _folder = asDisposable(watchFolder(dataDir, (error) => stopping.abort(error)));
    await writeEnvironment(stack, dataDir);
    console.log(describe(stack, dataDir));
    console.log(describeLimits());
    if (demo) await untilAborted(runDemo(stack), stopping.signal);
    console.log("\nReady. Ctrl-C stops the stack.");
    await untilAborted(new Promise<never>(() => {}), stopping.signal);
  } catch (error) {
    // Ctrl-C ends also what runs just then, such as the Supabase CLI: that is no failure.
    const { aborted, reason } = stopping.signal;
    if (!aborted) throw error;
    if (reason instanceof StackError) throw reason;
  }
  console.log("Stopped.");
  return 0;
}

/** Aborts with the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function abortOnSignal(controller: AbortController): void {
  const onSignal = () => controller.signal.aborted ? Deno.exit(130) : controller.abort();
  Deno.addSignalListener("SIGINT", onSignal);
  Deno.addSignalListener("SIGTERM", onSignal);
}

function asDisposable(dispose: () => void): Disposable {
  return { [Symbol.dispose]: dispose };
}

/** Waits for a promise, and throws the signal's reason as soon as that is aborted. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener("abort", () => aborted.reject(signal.reason));
  if (signal.aborted) aborted.reject(signal.reason);
  return Promise.race([promise, aborted.promise]);
}

function environment(stack: Stack): Record<string, string> {
  return {
    SUPABASE_URL: stack.url,
    SUPABASE_PUBLISHABLE_KEY: stack.publishableKey,
    SUPABASE_SECRET_KEY: stack.secretKey,
    SUPABASE_DB_URL: stack.dbUrl,
  };
}

async function writeEnvironment(stack: Stack, dataDir: string): Promise<void> {
  const lines = Object.entries(environment(stack)).map(([name, value]) => `${name}="${value}"\n`);
  await Deno.writeTextFile(`${dataDir}/env`, lines.join(""), { mode: 0o600 });
}

function describe(stack: Stack, dataDir: string): string {
  const lines = Object.entries(environment(stack)).map(([name, value]) => `  ${name}=${value}`);
  return `${lines.join("\n")}\n(also in ${
    dataDir === DEFAULT_DATA_DIR ? ".local" : dataDir
  }/env)\n`;
}

function describeLimits(): string {
  const { wallMs, cpuMs, memoryMb } = HOSTED_LIMITS;
  return `A function's process may use ${wallMs / 1000} s, ${cpuMs / 1000} s of CPU and ` +
    `${memoryMb} MB, as on the hosted platform.`;
}

try {
  Deno.exit(await main(Deno.args));
} catch (error) {
  console.error(error instanceof StackError ? error.message : error);
  Deno.exit(1);
}
