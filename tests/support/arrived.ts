/** An engine whose claims find what was published before: a broker sends it a moment later, and a busy machine later still. */

import type {
  Engine,
  EngineDelivery,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";

/** Longest wait for what is on its way, in ms. Lost connections make the count too large. */
const LONGEST_MS = 2_000;

/** Makes an engine of which a pull without a wait returns everything that was published, and is not pulled yet. */
export function arrived(engine: Engine): Engine {
  const onTheirWay = new Map<string, number>();
  const count = (queue: string, change: number) =>
    onTheirWay.set(queue, Math.max(0, (onTheirWay.get(queue) ?? 0) + change));
  return {
    ...engine,
    async publish(messages, signal) {
      const fates = await engine.publish(messages, signal);
      fates.forEach(({ kind }, index) => {
        const queue = messages[index]?.queue;
        if (kind === "confirmed" && queue !== undefined) count(queue, 1);
      });
      return fates;
    },
    async pull(request) {
      const pulled: EngineDelivery[] = [];
      let { max, maxBytes } = request;
      const isComing = () =>
        [...onTheirWay].some(([queue, left]) =>
          left > 0 && (request.queues?.includes(queue) ?? true)
        );
      do {
        const waitMs = Math.max(request.waitMs, isComing() ? LONGEST_MS : 0);
        const some = await engine.pull({ ...request, max, maxBytes, waitMs });
        for (const { queue, body } of some) {
          count(queue, -1);
          maxBytes -= body.length;
        }
        max -= some.length;
        pulled.push(...some);
        if (some.length === 0) break;
      } while (max > 0 && maxBytes > 0 && isComing());
      return pulled;
    },
    async giveBack(deliveries) {
      await engine.giveBack(deliveries);
      for (const { queue } of deliveries) count(queue, 1);
    },
  };
}
