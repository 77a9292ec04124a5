/** Calls of the SQL functions that keep durable steps. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Effects } from "../message/effects.ts";
import type { StepFailure, StepToStore, StoredStep } from "../message/stored-step.ts";
import type {
  EffectRequest,
  EffectResult,
  LeaseAnswer,
  LoadedSteps,
  StepsRequest,
  StepsToSave,
} from "../transport/durable-store.ts";
import { messageRow } from "./enqueue-body.ts";
import { callRpc } from "./rpc.ts";

/** A step as `messenger_load_steps` returns it. */
interface StepRow {
  handler: string;
  name: string;
  key: string;
  nth: number;
  kind: StoredStep["kind"];
  status: StoredStep["status"];
  left_ms: number | null;
  result?: unknown;
  left_out?: number;
  error?: StepFailure;
  details?: unknown;
}

/**
 * Reads the steps of running messages.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export async function loadSteps(
  client: SupabaseClient,
  requests: readonly StepsRequest[],
  timeoutMs: number,
): Promise<LoadedSteps> {
  const leases = requests.map(({ leaseToken, ...request }) => ({ ...request, token: leaseToken }));
  const { steps, ...rest } = await callRpc<
    LeaseAnswer & { steps: Record<string, StepRow[]>; installation: string }
  >(client, "messenger_load_steps", { leases }, timeoutMs);
  return {
    ...rest,
    steps: Object.fromEntries(Object.entries(steps).map(([id, rows]) => [id, rows.map(toStep)])),
  };
}

/**
 * Stores steps in one transaction.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export function saveSteps(
  client: SupabaseClient,
  saves: readonly StepsToSave[],
  timeoutMs: number,
): Promise<LeaseAnswer> {
  const rows = saves.map(({ id, leaseToken, version, steps }) => ({
    ...{ id, token: leaseToken, version },
    steps: steps.map(stepRow),
  }));
  return callRpc(client, "messenger_save_steps", { saves: rows }, timeoutMs);
}

/** A step as `messenger_save_steps` and `messenger_settle` take it. */
export function stepRow({ until, untilMs, effects, ...step }: StepToStore) {
  return {
    ...step,
    ...(effects && effectsRow(effects)),
    ...(until && { until: until.toISOString() }),
    ...(untilMs !== undefined && { until_ms: untilMs }),
  };
}

/** The effects of a message or a step, as SQL takes them. */
export function effectsRow({ messages, emits }: Effects) {
  return {
    messages: messages.map((reserved) => ({ id: reserved.id, ...messageRow(reserved.message) })),
    emits,
  };
}

/**
 * Runs a SQL function for a step of a running message, and stores its result, in one transaction.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export function callEffect(
  client: SupabaseClient,
  { leaseToken, ...request }: EffectRequest,
  timeoutMs: number,
): Promise<EffectResult> {
  return callRpc(client, "messenger_effect", { ...request, token: leaseToken }, timeoutMs);
}

function toStep({ left_ms: leftMs, left_out: leftOut, ...step }: StepRow): StoredStep {
  return {
    ...step,
    ...(leftMs !== null && { leftMs }),
    ...(leftOut !== undefined && { leftOut }),
  };
}
