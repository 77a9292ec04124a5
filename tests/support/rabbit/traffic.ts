/** Traffic through an engine while a test breaks its broker: messages are published until confirmed, and received. */

import type { Engine } from "../../../supabase/functions/_shared/symphony/transport/engine.ts";
import { published } from "../../contract/engine_sending_contract.ts";
import { eventually } from "../stack.ts";

/** Messages of one publish. */
const BATCH = 50;
/** Longest time of one publish, in ms. */
const PUBLISH_TIMEOUT_MS = 5_000;
/** Longest time until all has come, in ms. */
const DRAIN_TIMEOUT_MS = 60_000;

/** The counts of a run. */
export interface TrafficReport {
  /** Messages whose publish was confirmed. */
  readonly confirmed: number;
  /** Those of them that never came. */
  readonly lost: number;
  /** Deliveries of messages that had come before. */
  readonly repeats: number;
  /** Longest time without a confirmed publish, and without a delivery, in ms. */
  readonly longestMs: { readonly publish: number; readonly delivery: number };
}

/** Sends and receives until it is stopped. */
export function startTraffic(sender: Engine, receiver: Engine, pauseMs = 20) {
  const stopping = new AbortController();
  const confirmed = new Set<string>();
  const received = new Set<string>();
  const publishes = new Gap();
  const deliveries = new Gap();
  let repeats = 0;
  let isDrained = false;
  const pause = () => new Promise((resolve) => setTimeout(resolve, pauseMs));

  async function publish(): Promise<void> {
    let next = 1;
    let waiting: ReturnType<typeof published>[] = [];
    while (!stopping.signal.aborted || waiting.length > 0) {
      while (waiting.length < BATCH && !stopping.signal.aborted) waiting.push(published(next++));
      const signal = AbortSignal.timeout(PUBLISH_TIMEOUT_MS);
      const fates = await sender.publish(waiting, signal).catch(() => []);
      const sent = new Set(
        waiting.filter((_, index) => fates[index]?.kind === "confirmed").map(({ id }) => id),
      );
      sent.forEach((id) => confirmed.add(id));
      if (sent.size > 0) publishes.end();
      waiting = waiting.filter(({ id }) => !sent.has(id));
      await pause();
    }
  }

  async function receive(): Promise<void> {
    while (!isDrained) {
      const request = { max: 200, maxBytes: 1_000_000, waitMs: 200 };
      const pulled = await receiver.pull(request).catch(async () => (await pause(), []));
      if (pulled.length > 0) deliveries.end();
      for (const { id } of pulled) {
        if (received.has(id)) repeats++;
        received.add(id);
      }
      await receiver.acknowledge(pulled);
    }
  }

  const running = [publish(), receive()] as const;
  return {
    /** Waits until this many further messages are confirmed. */
    async more(count: number): Promise<void> {
      const until = confirmed.size + count;
      await eventually(() => Promise.resolve(confirmed.size), (size) => size >= until, 60_000);
    },
    /** Ends, once all that was confirmed has come or its time is over. */
    async stop(): Promise<TrafficReport> {
      stopping.abort();
      await running[0];
      const missing = () => [...confirmed].filter((id) => !received.has(id)).length;
      await eventually(() => Promise.resolve(missing()), (lost) => lost === 0, DRAIN_TIMEOUT_MS)
        .catch(() => {});
      isDrained = true;
      await running[1];
      await Promise.all([sender.close(), receiver.close()]);
      const longestMs = { publish: publishes.longest, delivery: deliveries.longest };
      return { confirmed: confirmed.size, lost: missing(), repeats, longestMs };
    },
  };
}

/** The longest time between two events, in ms. */
class Gap {
  #last = performance.now();
  longest = 0;

  end(): void {
    const now = performance.now();
    this.longest = Math.max(this.longest, Math.round(now - this.#last));
    this.#last = now;
  }
}
