/** The transport under test, and the helpers that all suites of the contract share. */

import type { AttemptError } from "../../supabase/functions/_shared/symphony/message/envelope.ts";
import { assertEquals } from "@std/assert";
import type {
  Envelope,
  OutgoingMessage,
  Transport,
} from "../../supabase/functions/_shared/symphony/index.ts";
import {
  handled,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { QueueSettings } from "../../supabase/functions/_shared/symphony/testing.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../supabase/functions/_shared/symphony/transport/receiver.ts";

/** A transport to be tested, empty, with a clock that the test moves. */
export interface TransportUnderTest {
  readonly transport: Transport;
  /** Moves the clock that decides what is due. */
  advance(ms: number): Promise<void>;
  /** Dead letters, oldest first. */
  failed(): Promise<{ id: string; reason: string; errors: AttemptError[]; attempts: number }[]>;
  /** Names of the stored steps of a message, whether it waits, runs or is finished. */
  steps(id: string): Promise<string[]>;
  /** How often the SQL function `test_double` has run, which returns twice its argument `n`. */
  doubled(): Promise<number>;
  /** Changes settings of a queue. */
  setQueue(name: string, settings: QueueSettings): Promise<void>;
  close(): Promise<void>;
}

/** How long a claim of these tests holds its messages. */
export const LEASE_MS = 60_000;

/** A claim of up to 100 messages, under a fresh token. */
export const claimOf = (request: Partial<ClaimRequest> = {}): ClaimRequest => ({
  token: crypto.randomUUID(),
  maxMessages: 100,
  leaseMs: LEASE_MS,
  ...request,
});

/** An attempt's error, as a worker writes it. */
export const failure: AttemptError = {
  message: "no route",
  class: "Error",
  attempt: 1,
  at: "2026-01-01T00:00:00.000Z",
  durationMs: 5,
};

/** Settlements that write one outcome for all of these messages. */
export function settlementsOf(
  messages: readonly { id: string; leaseToken: string; groupKey?: string | null }[],
  outcome: Settlement["outcome"],
): Settlement[] {
  return messages.map(({ id, leaseToken, groupKey }) => ({
    id,
    leaseToken,
    grouped: typeof groupKey === "string",
    outcome,
  }));
}

/** A message of a group. */
export const inGroup = (
  groupKey: string,
  payload: unknown,
  more: Partial<OutgoingMessage> = {},
) => ({
  type: "T",
  payload,
  groupKey,
  ...more,
});

/** The payloads of a claim, in order. */
export const payloads = ({ messages }: Pick<Claim, "messages">) =>
  messages.map(({ payload }) => payload);

/** Claims up to 100 messages, under a fresh token. */
export async function claim(transport: Transport, request: Partial<ClaimRequest> = {}) {
  return await transport.claim(claimOf(request));
}

/** Settles messages with one outcome; none of their leases may be stale. */
export async function settle(
  transport: Transport,
  messages: readonly Envelope[],
  outcome: Settlement["outcome"] = handled,
) {
  assertEquals(await transport.settle(settlementsOf(messages, outcome)), { stale: [] });
}
