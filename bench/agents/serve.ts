/**
 * A process that does the measured work, told what to do by lines of JSON on its standard input:
 * first its configuration, then calls `{ id, task, args }`. It writes `{ id, result }` or
 * `{ id, error }`, tells events between, and ends with its input.
 */

import { TextLineStream } from "@std/streams/text-line-stream";

/** Tasks of an agent, by name. */
export type Tasks = Readonly<Record<string, (args: never) => unknown>>;

/** Configuration of a peer's agent, given at its start. */
export interface PeerConfig {
  /** Of its database. */
  readonly url: string;
  /** Whether its maintenance runs, as it does when deployed. */
  readonly maintained?: boolean;
}

/** Tells the parent something without being asked. */
export type Emit = (event: unknown) => void;

/** Serves tasks until the input ends. */
export async function serve<Config>(
  start: (config: Config, emit: Emit) => Promise<Tasks> | Tasks,
): Promise<never> {
  let tasks: Tasks | undefined;
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
    .pipeThrough<string>(new TextLineStream());
  for await (const line of lines) {
    const message = JSON.parse(line);
    if (tasks) run(tasks, message);
    else {
      tasks = await start(message, (event) => write({ event }));
      write({ ready: true });
    }
  }
  Deno.exit(0);
}

async function run(
  tasks: Tasks,
  { id, task, args }: { id: number; task: string; args: never },
): Promise<void> {
  try {
    const found = tasks[task];
    if (!found) throw new Error(`there is no task ${task}`);
    write({ id, result: await found(args) ?? null });
  } catch (error) {
    write({ id, error: error instanceof Error ? error.stack ?? error.message : String(error) });
  }
}

const encoder = new TextEncoder();

function write(message: unknown): void {
  let bytes = encoder.encode(JSON.stringify(message) + "\n");
  while (bytes.length > 0) bytes = bytes.subarray(Deno.stdout.writeSync(bytes));
}
