// One process of one function: starts it and says where it listens. As the hosted platform does, it
// retires the process at half its time, and kills it without warning when that, or its memory, is used up.
import { type OwnedProcess, startProcess } from "./process.ts";
import { END_SIGNAL, READY_PREFIX, REPLACED_SIGNAL } from "./function_worker.ts";

/**
 * The limits of one function process. At half of its time or CPU, or three quarters of its memory, it gets
 * no more requests and ends when its work is done. At a full limit it is killed.
 */
export interface FunctionLimits {
  /** Milliseconds from the start of the process. */
  wallMs?: number;
  /** Milliseconds of CPU from when the function is loaded. */
  cpuMs?: number;
  /**
   * MB (1024 * 1024 bytes) of memory of its own: heap, buffers, stacks. The pages of Deno's program, which
   * the hosted platform does not count, are not in it.
   */
  memoryMb?: number;
}

/** Supabase's limits: 150 s of wall clock (400 s when paid), 2 s of CPU, 256 MB. */
export const HOSTED_LIMITS: Required<FunctionLimits> = {
  wallMs: 150_000,
  cpuMs: 2_000,
  memoryMb: 256,
};

/** How to start it. */
export interface FunctionProcessOptions {
  /** URL of the function's index.ts. */
  entrypoint: string;
  /** Path of the import map; default: that of `config`. */
  importMap?: string | undefined;
  /** Path of its deno.json; default: none. */
  config?: string | undefined;
  /** Path of the Deno that runs it; default: the one that runs the stack. */
  deno?: string | undefined;
  env: Record<string, string>;
  limits: FunctionLimits;
  onLine: (line: string) => void;
  /** Called once, at half a limit: no request may begin from now on. */
  onRetire: () => void;
}

/** A process that serves a function. */
export interface FunctionProcess extends OwnedProcess {
  /** Its address, without a trailing slash; undefined when it ended before it could serve. */
  readonly url: Promise<string | undefined>;
  /** The limit that it was killed for exceeding; undefined where it was not. */
  readonly exceeded: keyof FunctionLimits | undefined;
  /** Has it end as soon as it has answered its requests and finished its background work. */
  endWhenDone(): void;
  /**
   * Has it begin nothing more, and end as soon as its requests and background work are done. One that does
   * not serve yet is killed.
   */
  replace(): void;
}

/** Ticks of CPU time in /proc, per second (sysconf(_SC_CLK_TCK), 100 on every Linux we run on). */
const CLOCK_TICKS_PER_S = 100;
const CHECK_MS = 25;
/** From this part of its memory on a process takes no more requests. */
const RETIRES_AT_MEMORY = 3 / 4;
/**
 * The part of its memory that V8 may use before it collects at all costs; the rest is buffers. The limit is of the
 * whole heap, as on the hosted platform (`heap_limits`): beside a limit of the old generation alone, V8 keeps its
 * default for the young one, which takes 80 MB.
 */
const HEAP_SHARE = 3 / 4;
/** V8 prints this when its heap is full, and then ends the process. */
const HEAP_IS_FULL = /JavaScript (heap )?out of memory/;

/** Starts the process with the permissions of a hosted function: it cannot write files or start subprocesses. */
export function startFunctionProcess(options: FunctionProcessOptions): FunctionProcess {
  const listening = Promise.withResolvers<string | undefined>();
  const worker = new URL("./function_worker.ts", import.meta.url).pathname;
  const { wallMs, cpuMs, memoryMb } = options.limits;
  let exceeded: keyof FunctionLimits | undefined;
  let isReady = false;
  const process = startProcess(options.deno ?? Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--quiet"],
      ...memoryMb === undefined ? [] : [
        `--v8-flags=--max-heap-size=${Math.floor(memoryMb * HEAP_SHARE)}`,
      ],
      ...["--allow-net", "--allow-env", "--allow-read", "--allow-sys"],
      ...moduleFlags(options),
      worker,
      options.entrypoint,
    ],
    env: options.env,
    onLine: (line) => {
      if (memoryMb !== undefined && HEAP_IS_FULL.test(line)) exceeded ??= "memoryMb";
      if (!line.startsWith(READY_PREFIX)) return options.onLine(line);
      isReady = true;
      listening.resolve(`http://127.0.0.1:${line.slice(READY_PREFIX.length)}`);
    },
  });

  let isRetired = false;
  const retire = () => {
    if (!isRetired) options.onRetire();
    isRetired = true;
  };
  const exceed = (limit: keyof FunctionLimits) => {
    exceeded ??= limit;
    process.kill("SIGKILL");
  };
  const timers: ReturnType<typeof setTimeout>[] = [];
  if (wallMs !== undefined) {
    timers.push(setTimeout(retire, wallMs / 2), setTimeout(() => exceed("wallMs"), wallMs));
  }
  if (cpuMs !== undefined) {
    listening.promise.then((url) => {
      if (url === undefined) return;
      const loadedMs = cpuTimeMs(process.pid);
      timers.push(setInterval(() => {
        const usedMs = cpuTimeMs(process.pid) - loadedMs;
        if (usedMs > cpuMs / 2) retire();
        if (usedMs > cpuMs) exceed("cpuMs");
      }, CHECK_MS));
    });
  }
  if (memoryMb !== undefined) {
    timers.push(setInterval(() => {
      const usedMb = memoryOf(process.pid);
      if (usedMb > memoryMb * RETIRES_AT_MEMORY) retire();
      if (usedMb > memoryMb) exceed("memoryMb");
    }, CHECK_MS));
  }
  process.exited.then(() => {
    for (const timer of timers) clearTimeout(timer);
    listening.resolve(undefined);
  });
  return {
    ...process,
    url: listening.promise,
    get exceeded() {
      return exceeded;
    },
    endWhenDone: () => process.kill(END_SIGNAL),
    // Until it listens to signals, that one would end it with a line about a signal.
    replace: () => process.kill(isReady ? REPLACED_SIGNAL : "SIGKILL"),
  };
}

/** Flags that say where modules come from. Lock files are of other modules, and perhaps of a newer Deno. */
function moduleFlags({ config, importMap }: FunctionProcessOptions): string[] {
  return [
    ...config === undefined ? ["--no-config"] : ["--config", config],
    ...importMap === undefined ? ["--no-lock"] : ["--import-map", importMap],
  ];
}

/** MB of memory that are a process's own (RssAnon); 0 when it is gone. */
export function memoryOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** CPU time that a process has used, all its threads together; 0 when it is gone. */
function cpuTimeMs(pid: number): number {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // Fields 14 and 15, utime and stime; field 2, the name in parentheses, may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 1000 / CLOCK_TICKS_PER_S;
  } catch {
    return 0;
  }
}
