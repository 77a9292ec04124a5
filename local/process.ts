// Starts the stack's child processes so that none outlives the stack: each gets a signal from the
// kernel when its parent dies, however the parent dies (prctl PR_SET_PDEATHSIG, by setpriv(1)).
import { TextLineStream } from "@std/streams/text-line-stream";

/** Options of a process: its command, its user, and a listener for its output. */
export interface ProcessOptions {
  args: string[];
  /** The whole environment of the process; nothing else is passed on. */
  env: Record<string, string>;
  cwd?: string;
  /** Flags for setpriv(1), e.g. to run as another user. */
  privileges?: string[];
  /** Sent by the kernel when the stack dies; default KILL. */
  deathSignal?: "KILL" | "INT" | "TERM";
  /** Called with each line of stdout and stderr. */
  onLine?: (line: string) => void;
}

/** A running child process that belongs to the stack. */
export interface OwnedProcess {
  readonly pid: number;
  /** Settles when the process has ended and its output has been read; never rejects. */
  readonly exited: Promise<Deno.CommandStatus>;
  /** Sends a signal; does nothing when the process has ended. */
  kill(signal: Deno.Signal): void;
  /** Asks with `signal`, waits `graceMs` (default 3000), then kills; resolves when it has ended. */
  stop(signal: Deno.Signal, graceMs?: number): Promise<void>;
}

/** Whether setpriv(1), part of util-linux, is on this machine. */
export const hasSetpriv: boolean = ["/usr/bin/setpriv", "/bin/setpriv"].some(fileExists);

/**
 * Starts a program in a process group of its own, so that Ctrl-C reaches the stack only.
 * Throws Deno.errors.NotFound when the program does not exist.
 */
export function startProcess(program: string, options: ProcessOptions): OwnedProcess {
  const privileges = hasSetpriv
    ? ["--pdeathsig", options.deathSignal ?? "KILL", ...options.privileges ?? [], "--", program]
    : [];
  const child = new Deno.Command(hasSetpriv ? "setpriv" : program, {
    args: [...privileges, ...options.args],
    env: options.env,
    clearEnv: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();

  const onLine = options.onLine ?? (() => {});
  const output = [readLines(child.stdout, onLine), readLines(child.stderr, onLine)];
  let hasExited = false;
  const exited = child.status.then(async (status) => {
    hasExited = true;
    await Promise.all(output);
    return status;
  });
  const kill = (signal: Deno.Signal) => {
    if (!hasExited) sendSignal(child.pid, signal);
  };
  return {
    pid: child.pid,
    exited,
    kill,
    async stop(signal, graceMs = 3000) {
      kill(signal);
      const timer = setTimeout(() => kill("SIGKILL"), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Sends a signal to a process id; false when there is no such process. */
export function sendSignal(pid: number, signal: Deno.Signal): boolean {
  try {
    Deno.kill(pid, signal);
    return true;
  } catch (error) {
    const isGone = error instanceof Deno.errors.NotFound || error instanceof TypeError;
    if (!isGone) throw error;
    return false;
  }
}

/** A free TCP port of the loopback address, at the time of asking; `preferred` where that is free. */
export function freePort(preferred = 0): number {
  try {
    return listenOn(preferred);
  } catch (error) {
    if (preferred === 0 || !(error instanceof Deno.errors.AddrInUse)) throw error;
    return listenOn(0);
  }
}

function listenOn(port: number): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  return listener.addr.port;
}

/** Whether something exists at a path. */
export function fileExists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine: (line: string) => void,
): Promise<void> {
  const lines = stream.pipeThrough(new TextDecoderStream()).pipeThrough<string>(
    new TextLineStream(),
  );
  for await (const line of lines) onLine(line);
}
