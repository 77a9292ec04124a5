// The functions of the project: one process each, started by the first request and again by the
// next one after it has ended or retired (the edge runtime's policy `per_worker`).
import { fileExists } from "./process.ts";
import {
  type FunctionLimits,
  type FunctionProcess,
  startFunctionProcess,
} from "./function_process.ts";
import { functionError } from "./function_errors.ts";
import { forward } from "./forward.ts";

/** Where the functions are and how they run. */
export interface FunctionsOptions {
  /** The folder with a folder for each function. */
  dir: string;
  /** Import map and deno.json of all functions; "own": each function has its deno.json, as a deploy reads it. */
  modules: { importMap: string; config: string } | "own";
  /** Path of the Deno that runs them; default: the one that runs the stack. */
  deno?: string | undefined;
  /** Whole environment of a function's process. */
  env: Record<string, string>;
  limits: FunctionLimits;
  /** Called with each line that a function prints. */
  onLine: (name: string, line: string) => void;
}

/** A process that was killed without warning. */
export interface LimitKill {
  /** The function's name. */
  readonly name: string;
  readonly limit: keyof FunctionLimits;
}

/** The functions, as one. */
export interface Functions {
  /** Names of the folders that are functions. */
  names(): Promise<string[]>;
  /** Answers a request by the function, or with the error that the platform gives in its place. */
  fetch(name: string, path: string, request: Request): Promise<Response>;
  /** Starts the processes of the named functions and awaits them. */
  warmUp(names: string[]): Promise<void>;
  /** The process id of a function; undefined when none runs. */
  pid(name: string): number | undefined;
  /** Sends a signal to a function's process and resolves when it has ended. */
  kill(name: string, signal: Deno.Signal): Promise<void>;
  /**
   * Starts every function from the code on disk, as a deploy does. The processes before get no more requests,
   * and end when their work is done. Resolves to the names of the functions that did not start.
   */
  restart(): Promise<string[]>;
  /** Processes that were killed for exceeding a limit, oldest first. */
  readonly limitKills: readonly LimitKill[];
  /** Ends all processes: `beforeunload`, 2 s of grace, then death. */
  stop(): Promise<void>;
}

/** As Supabase ends a request that a function leaves unanswered (docs: 150 s). */
const IDLE_TIMEOUT_MS = 150_000;

/** Prepares the functions; nothing is started yet. */
export function serveFunctions(options: FunctionsOptions): Functions {
  return new FunctionHost(options);
}

class FunctionHost implements Functions {
  readonly limitKills: LimitKill[] = [];
  /** Those that take requests. */
  #processes = new Map<string, FunctionProcess>();
  /** All that run, and the requests that are on their way to them. */
  #alive = new Map<FunctionProcess, Set<Promise<unknown>>>();
  #isStopping = false;

  constructor(private readonly options: FunctionsOptions) {}

  async names(): Promise<string[]> {
    const { dir } = this.options;
    const names: string[] = [];
    for await (const entry of Deno.readDir(dir)) {
      if (entry.isDirectory && isFunction(dir, entry.name)) names.push(entry.name);
    }
    return names.sort();
  }

  async fetch(name: string, path: string, request: Request): Promise<Response> {
    if (!isFunction(this.options.dir, name)) return functionError("NOT_FOUND");
    if (this.#isStopping) return functionError("STOPPING");
    const process = this.#running(name);
    const answer = this.#ask(process, path, request);
    this.#alive.get(process)?.add(answer);
    return await answer.finally(() => this.#alive.get(process)?.delete(answer));
  }

  async #ask(process: FunctionProcess, path: string, request: Request): Promise<Response> {
    const url = await process.url;
    if (url === undefined) return functionError(process.exceeded ? "WORKER_LIMIT" : "BOOT_ERROR");
    const response = await forward(request, url + path, IDLE_TIMEOUT_MS);
    if (response === "timeout") return functionError("IDLE_TIMEOUT");
    if (response !== "failed") return response;
    // The connection ends before the kernel has told that the process did.
    await Promise.race([process.exited, new Promise((resolve) => setTimeout(resolve, 1000))]);
    return functionError(process.exceeded ? "WORKER_LIMIT" : "WORKER_ERROR");
  }

  async warmUp(names: string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#running(name).url));
  }

  pid(name: string): number | undefined {
    return this.#processes.get(name)?.pid;
  }

  async kill(name: string, signal: Deno.Signal): Promise<void> {
    const process = this.#processes.get(name);
    process?.kill(signal);
    await process?.exited;
  }

  async restart(): Promise<string[]> {
    const names = await this.names();
    if (this.#isStopping) return [];
    const before = [...this.#alive.keys()];
    this.#processes.clear();
    const started = names.map((name) => this.#running(name));
    for (const process of before) process.replace();
    const urls = await Promise.all(started.map((process) => process.url));
    return names.filter((_, index) => urls[index] === undefined);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#alive.keys()].map((process) => process.stop("SIGTERM")));
  }

  /** The function's process; a new one when none runs. */
  #running(name: string): FunctionProcess {
    const existing = this.#processes.get(name);
    if (existing) return existing;
    const { dir, modules, deno, env, limits, onLine } = this.options;
    const started = startFunctionProcess({
      entrypoint: `file://${dir}/${name}/index.ts`,
      ...modules === "own" ? ownModules(`${dir}/${name}`) : modules,
      deno,
      env: { ...env, SB_EXECUTION_ID: crypto.randomUUID() },
      limits,
      onLine: (line) => onLine(name, line),
      onRetire: () => this.#retire(name, started),
    });
    this.#processes.set(name, started);
    this.#alive.set(started, new Set());
    started.exited.then(() => {
      this.#alive.delete(started);
      if (started.exceeded) this.#killed(name, started.exceeded);
      if (this.#processes.get(name) === started) this.#processes.delete(name);
    });
    return started;
  }

  #killed(name: string, limit: keyof FunctionLimits): void {
    this.limitKills.push({ name, limit });
    const allowed = this.options.limits[limit];
    this.options.onLine(
      name,
      `the process was killed: it used more than its limit, ${limit} ${allowed}`,
    );
  }

  /** The next request starts another process; this one ends when it has done its work. */
  async #retire(name: string, process: FunctionProcess): Promise<void> {
    if (this.#processes.get(name) === process) this.#processes.delete(name);
    await Promise.all(this.#alive.get(process) ?? []);
    process.endWhenDone();
  }
}

/** A function without a deno.json imports by URLs alone. */
function ownModules(folder: string): { config?: string } {
  const config = `${folder}/deno.json`;
  return fileExists(config) ? { config } : {};
}

/** As the Supabase CLI decides it: a name that starts with a letter, and an index.ts. */
function isFunction(dir: string, name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && fileExists(`${dir}/${name}/index.ts`);
}
