/** The order of claimed messages: lanes of one queue take turns, so that a new one does not wait behind a full buffer. */

import type { Envelope } from "../../message/envelope.ts";
import { isLane, parentQueue } from "../../message/lane.ts";

/**
 * Puts the messages of lanes in turn: the first one of each lane of a queue, then the second one of each. Messages of
 * one lane keep their order, and other messages keep their places.
 */
export function lanesInTurn(envelopes: readonly Envelope[]): Envelope[] {
  const ordered = [...envelopes];
  const places = Map.groupBy(
    envelopes.flatMap(({ queue }, place) => isLane(queue) ? [place] : []),
    (place) => parentQueue(envelopes[place]?.queue ?? ""),
  );
  for (const ofQueue of places.values()) {
    const met = new Map<string, number>();
    const turns = ofQueue.flatMap((place) => {
      const envelope = envelopes[place];
      if (!envelope) return [];
      const turn = met.get(envelope.queue) ?? 0;
      met.set(envelope.queue, turn + 1);
      return [{ envelope, turn }];
    });
    turns.sort((a, b) => a.turn - b.turn).forEach(({ envelope }, index) => {
      const place = ofQueue[index];
      if (place !== undefined) ordered[place] = envelope;
    });
  }
  return ordered;
}
