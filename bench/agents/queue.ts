/** The tasks of every queue under test: write numbered messages, and handle them. */

import { Buffer } from "node:buffer";
import process from "node:process";
import type { Emit, Tasks } from "./serve.ts";

/** All that a handler does with the number of its message. It returns a promise where it waits. */
export type OnHandled = (n: number) => void | Promise<void>;

/** A queue, as an agent drives it. */
export interface Queue {
  /** Writes messages with the payloads `{ n, text }`. @param text default: a short one */
  enqueue(numbers: readonly number[], text?: string): Promise<void>;
  /** Handles messages until it is told to stop. */
  drain(variant: Variant, onHandled: OnHandled): Promise<{ stop(): Promise<void> }>;
}

/** How a queue is to be drained; each takes from it what it knows. */
export interface Variant {
  /** Messages fetched at once. */
  readonly batchSize: number;
  /** Handlers running at once. */
  readonly concurrency: number;
  /** Loops that fetch and complete within one process. */
  readonly fetchers: number;
  /** How long a handler waits, as for I/O, in ms; by default it is a synchronous function. */
  readonly handlerMs?: number;
}

/** Messages to write. */
export interface ToWrite {
  readonly from: number;
  readonly count: number;
  /** Messages in a call. */
  readonly batch: number;
  /** Length of each message's text; default: a short one. */
  readonly textLength?: number;
}

/** Time that writing messages took, in ms. */
export interface Written {
  readonly tookMs: number;
  /** CPU time of the process. */
  readonly cpuMs: number;
}

/** Progress that an agent tells while it drains. */
export interface Progress {
  readonly handled: number;
  /** When the first message was handled, in ms since 1970. */
  readonly firstAt: number;
}

/** Result of a drain, returned when the agent is told to stop. */
export interface Drained {
  /** How often each number was handled, one byte each, in base64. */
  readonly counts: string;
  /** CPU time of the process since the drain began. */
  readonly cpuMs: number;
}

const TELL_EVERY_MS = 25;

/** The tasks of an agent that drives a queue. */
export function queueTasks(queue: Queue, emit: Emit): Tasks {
  let drain: ReturnType<typeof startDrain> | undefined;
  return {
    enqueue: async ({ from, count, batch, textLength }: ToWrite) => {
      const text = textLength === undefined ? undefined : randomText(textLength);
      const startedAt = performance.now();
      const cpu = process.cpuUsage();
      for (let n = from; n < from + count; n += batch) {
        const length = Math.min(batch, from + count - n);
        await queue.enqueue(Array.from({ length }, (_, i) => n + i), text);
      }
      const { user, system } = process.cpuUsage(cpu);
      return {
        tookMs: performance.now() - startedAt,
        cpuMs: (user + system) / 1000,
      } satisfies Written;
    },
    drain: async (variant: Variant) => {
      drain = startDrain(queue, variant, emit);
      await drain.running;
    },
    stop: async () => await drain?.stop(),
    memory: () => Deno.memoryUsage(),
  };
}

/** Text that does not compress, as a payload of ids and addresses hardly does. */
function randomText(length: number): string {
  const bytes = new Uint8Array(Math.ceil(length / 2));
  for (let at = 0; at < bytes.length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return Buffer.from(bytes).toString("hex").slice(0, length);
}

function waiting(handle: (n: number) => void, { handlerMs }: Variant): OnHandled {
  if (handlerMs === undefined) return handle;
  return async (n) => {
    handle(n);
    await new Promise((resolve) => setTimeout(resolve, handlerMs));
  };
}

function startDrain(queue: Queue, variant: Variant, emit: Emit) {
  let counts = new Uint8Array(1 << 20);
  const cpu = process.cpuUsage();
  let handled = 0;
  let told = 0;
  let firstAt = 0;
  let largest = 0;
  const count = (n: number) => {
    if (handled++ === 0) firstAt = performance.timeOrigin + performance.now();
    if (n >= counts.length) {
      const larger = new Uint8Array(n * 2);
      larger.set(counts);
      counts = larger;
    }
    counts[n] = (counts[n] ?? 0) + 1;
    if (n > largest) largest = n;
  };
  const running = queue.drain(variant, waiting(count, variant));
  const timer = setInterval(() => {
    if (handled === told) return;
    told = handled;
    emit({ handled, firstAt } satisfies Progress);
  }, TELL_EVERY_MS);
  return {
    running,
    async stop(): Promise<Drained> {
      const { user, system } = process.cpuUsage(cpu);
      await (await running).stop();
      clearInterval(timer);
      return {
        counts: Buffer.from(counts.subarray(0, largest + 1)).toString("base64"),
        cpuMs: (user + system) / 1000,
      };
    },
  };
}
