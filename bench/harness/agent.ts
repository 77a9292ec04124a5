/** The parent's end of an agent: starts its process, calls its tasks, hears its events. */

import { TextLineStream } from "@std/streams/text-line-stream";

/** Which program an agent runs; a file in bench/agents. */
export type AgentName =
  | "ours"
  | "graphile"
  | "pgboss"
  | "floor"
  | "http"
  | "durable"
  | "dbos"
  | "routed";

/** A process that does measured work. */
export interface Agent extends AsyncDisposable {
  /** Runs a task to its end. @throws Error with the agent's own words if it fails or dies */
  call<Result>(task: string, args?: unknown): Promise<Result>;
  /** Hears the agent's events from now on, in place of who heard them before. */
  listen<Event>(onEvent: (event: Event) => void): void;
}

/** Has the peers, which `deno.lock` leaves out so that `task start` does not download them. */
const DEV_LOCK = new URL("../../deno.dev.lock", import.meta.url).pathname;

/** Starts an agent and resolves when it is ready. @throws Error if it dies before */
export async function startAgent(name: AgentName, config: unknown): Promise<Agent> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `--lock=${DEV_LOCK}`,
      ...profiling(),
      new URL(`../agents/${name}.ts`, import.meta.url).pathname,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const encoder = new TextEncoder();
  const send = (message: unknown) => writer.write(encoder.encode(JSON.stringify(message) + "\n"));

  const ready = Promise.withResolvers<unknown>();
  // The call named 0 is the start.
  const calls = new Map([[0, ready]]);
  let onEvent = (_event: unknown) => {};
  const hear = async () => {
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough<string>(new TextLineStream());
    for await (const line of lines) {
      const { ready, event, id = ready ? 0 : undefined, result, error } = JSON.parse(line);
      if (event !== undefined) onEvent(event);
      else if (error !== undefined) calls.get(id)?.reject(new Error(`${name}: ${error}`));
      else calls.get(id)?.resolve(result);
    }
    for (const call of calls.values()) call.reject(new Error(`the agent ${name} has ended`));
  };
  const hearing = hear();
  await send(config);
  await ready.promise;
  let lastId = 0;
  return {
    async call<Result>(task: string, args: unknown = {}): Promise<Result> {
      const id = ++lastId;
      const call = Promise.withResolvers<unknown>();
      calls.set(id, call);
      await send({ id, task, args });
      return await call.promise.finally(() => calls.delete(id)) as Result;
    },
    listen: (heard) => onEvent = heard as (event: unknown) => void,
    async [Symbol.asyncDispose]() {
      await writer.close().catch(() => {});
      await hearing;
      await child.status;
    },
  };
}

/** BENCH_CPU_PROF names a folder into which each agent writes a CPU profile as it ends. */
function profiling(): string[] {
  const folder = Deno.env.get("BENCH_CPU_PROF");
  return folder ? ["--cpu-prof", `--cpu-prof-dir=${folder}`] : [];
}
