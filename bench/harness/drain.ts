/** Fills a queue and drains it with one or more agents, and makes sure that nothing got lost or doubled. */

import { Buffer } from "node:buffer";
import type { Drained, Progress, Variant, Written } from "../agents/queue.ts";
import type { Agent } from "./agent.ts";
import { machineBusyMs } from "./cpu.ts";
import type { SubjectName, System } from "./systems.ts";

/** Time and CPU that draining took. */
export interface DrainResult {
  /** From the first handler's start until the last message was settled. */
  readonly seconds: number;
  readonly perSecond: number;
  /** CPU time of the worker processes for 1,000 messages. */
  readonly cpuMsPer1000: number;
  /** Cores of the machine that were busy meanwhile. */
  readonly busyCores: number;
}

/**
 * How the systems are drained where nothing else is said: each with the sizes at which it was fastest
 * of those tried. Larger ones gain nothing more, or lose.
 */
export const BEST: Readonly<Record<SubjectName, Variant>> = {
  "ours": { batchSize: 4000, concurrency: 100, fetchers: 1 },
  "graphile-worker": { batchSize: 2000, concurrency: 24, fetchers: 1 },
  "pg-boss": { batchSize: 2000, concurrency: 1, fetchers: 4 },
  "floor": { batchSize: 4000, concurrency: 1, fetchers: 1 },
};

/** Our worker's settings where none is changed. */
export const DEFAULTS: Variant = { batchSize: 500, concurrency: 10, fetchers: 1 };

const BATCH = 1_000;
const LOOK_EVERY_MS = 5;
const STALLED_AFTER_MS = 60_000;

/** Time and CPU that writing took. */
export interface EnqueueResult {
  readonly perSecond: number;
  readonly tookMs: number;
  /** CPU time of the client's process. */
  readonly cpuMs: number;
}

/**
 * Writes messages 0 to `count` - 1, `batch` in a call, one call after the other.
 * @param textLength length of the text in each payload; default: a short one
 */
export async function enqueue(
  agent: Agent,
  count: number,
  batch = BATCH,
  textLength?: number,
): Promise<EnqueueResult> {
  const taken = await agent.call<Written>("enqueue", { from: 0, count, batch, textLength });
  return { ...taken, perSecond: count * 1000 / taken.tookMs };
}

/**
 * Drains messages 0 to `count` - 1.
 * @throws Error if it stalls, or if a message was not handled exactly once
 */
export async function drain(
  system: System,
  agents: readonly Agent[],
  count: number,
  variant: Variant = BEST[system.name],
): Promise<DrainResult> {
  const handled = agents.map(() => 0);
  let firstAt = Infinity;
  let begun: { at: number; busyMs: number } | undefined;
  let lastProgressAt = performance.now();
  agents.forEach((agent, index) =>
    agent.listen((progress: Progress) => {
      handled[index] = progress.handled;
      firstAt = Math.min(firstAt, progress.firstAt);
      lastProgressAt = performance.now();
      begun ??= { at: lastProgressAt, busyMs: machineBusyMs() };
    })
  );
  await Promise.all(agents.map((agent) => agent.call("drain", variant)));
  const isDone = async () =>
    handled.reduce((sum, number) => sum + number, 0) >= count && await system.isDrained();
  while (!await isDone()) {
    if (performance.now() - lastProgressAt > STALLED_AFTER_MS) {
      throw new Error(`${system.name} stalled: ${handled.join(" + ")} of ${count} were handled`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const ended = { at: performance.now(), busyMs: machineBusyMs() };
  const drained = await Promise.all(agents.map((agent) => agent.call<Drained>("stop")));
  checkCounts(system.name, drained, count);
  const seconds = (performance.timeOrigin + ended.at - firstAt) / 1000;
  const cpuMs = drained.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  return {
    seconds,
    perSecond: count / seconds,
    cpuMsPer1000: cpuMs * 1000 / count,
    busyCores: begun ? (ended.busyMs - begun.busyMs) / (ended.at - begun.at) : NaN,
  };
}

/**
 * Has processes do their work once, unmeasured, and leaves the system empty. One that has rested for some
 * seconds, as each does while it is the others' turn, takes up to twice the CPU time for its next
 * messages: most likely it has lost compiled code.
 */
export async function warmUp(
  system: System,
  agents: readonly [Agent, ...Agent[]],
  count: number,
  variant?: Variant,
): Promise<void> {
  await system.clear();
  await enqueue(agents[0], count);
  await drain(system, agents, count, variant);
  await system.clear();
}

/** Makes sure that messages 0 to `count` - 1, and no others, were handled once each. */
export function checkCounts(
  name: string,
  drained: readonly Pick<Drained, "counts">[],
  count: number,
): void {
  const counts = drained.map((one) => Buffer.from(one.counts, "base64"));
  const length = Math.max(count, ...counts.map((bytes) => bytes.length));
  for (let n = 0; n < length; n++) {
    const times = counts.reduce((sum, bytes) => sum + (bytes[n] ?? 0), 0);
    if (times !== (n < count ? 1 : 0)) {
      throw new Error(`${name}: message ${n} was handled ${times} times`);
    }
  }
}
