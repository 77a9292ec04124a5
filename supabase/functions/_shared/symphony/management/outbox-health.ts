/** Judges what waits in the outbox for each transport beside home. Pure. */

import type { HealthFacts } from "../database/bus-state.ts";
import type { TransportStatus } from "../database/outbox-lists.ts";
import { age, type HealthLimits, type Judged } from "./health-check.ts";

/** Judges each transport that has messages in the outbox, or is declared: one check for each. */
export function judgeOutbox(facts: HealthFacts, limits: HealthLimits): Judged[] {
  return (facts.transports ?? []).map((transport) => {
    const problem = problemOf(transport, age(facts, transport.oldestDueAt) ?? 0, limits);
    return {
      name: `outbox ${transport.name}`,
      ok: problem === null,
      found: problem?.found ?? transport.waiting.count,
      limit: null,
      advice: problem?.advice ?? "",
    };
  });
}

function problemOf(
  { name, declared, waiting, refused, failures, failure, retryAt }: TransportStatus,
  waitedMs: number,
  { maxReadyAge }: HealthLimits,
): { readonly found: string; readonly advice: string } | null {
  const messages = `${waiting.count}${waiting.capped ? " or more" : ""} messages wait`;
  if (!declared) {
    if (waiting.count === 0) return null;
    return {
      found: messages,
      advice:
        `The code declares no transport ${name}. Declare it again, or cancel the messages: symphony-messenger outbox cancel --transport ${name}.`,
    };
  }
  if (failures !== null && failures > 0) {
    return {
      found: `${messages}; ${failures} ${
        failures === 1 ? "failure" : "failures in a row"
      }: ${failure}`,
      advice:
        `The transport cannot be reached; the next try is at ${retryAt}. Once it is back: symphony-messenger outbox run ${name}.`,
    };
  }
  if (refused > 0) {
    return {
      found: `${refused} messages are refused`,
      advice:
        `See why: symphony-messenger outbox list --transport ${name}. Then: symphony-messenger outbox run ${name}, or symphony-messenger outbox cancel.`,
    };
  }
  if (waitedMs <= maxReadyAge) return null;
  return {
    found: `${messages}, the first for ${waitedMs} ms`,
    advice: "Messages wait too long to be published. Check that ticks run, and how many wait.",
  };
}
