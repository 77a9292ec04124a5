/**
 * Tells a result of the database from the JSON of a gateway or a maintenance page that has taken its place, with a
 * status that says success. Read as a result, that JSON would count outcomes as written that are lost.
 */

import { isOptions } from "../runtime/option-names.ts";

/** A check of a function's result. */
type Check = (result: unknown) => boolean;

/** An object with these fields, or a list with one, as functions with an unnamed parameter return it. */
const withFields = (...fields: string[]): Check => (result) => {
  const one = Array.isArray(result) && result.length === 1 ? result[0] : result;
  return isOptions(one) && fields.every((field) => Object.hasOwn(one, field));
};

const isEffect: Check = (result) =>
  isOptions(result) &&
  Object.keys(result).every((field) => ["result", "stale", "cancelled"].includes(field));

const isId: Check = (result) => /^\d+$/.test(String(result));

/** The functions whose result decides what becomes of messages. */
const CHECKS: ReadonlyMap<string, Check> = new Map([
  ["messenger_advance_schedules", withFields("dispatched", "stale")],
  ["messenger_batch_results", withFields("known", "finished")],
  ["messenger_claim", withFields("messages", "crashed")],
  ["messenger_claim_outbox", withFields("messages")],
  ["messenger_claim_schedules", withFields("schedules", "now")],
  ["messenger_effect", isEffect],
  ["messenger_emit", isId],
  ["messenger_emit_limited", isId],
  ["messenger_emit_token", isId],
  ["messenger_enqueue_body", withFields("ids")],
  ["messenger_enqueue_limited", withFields("ids")],
  ["messenger_finish_outbox", withFields("stale")],
  ["messenger_heartbeat", withFields("lost", "cancelled")],
  ["messenger_load_steps", withFields("steps", "installation")],
  ["messenger_look_up_deliveries", withFields("deliveries")],
  ["messenger_read_events", withFields("reads", "stale")],
  ["messenger_reserve_ids", withFields("ids")],
  ["messenger_rest_tick", withFields("rested")],
  ["messenger_save_schedules", withFields("schedules")],
  ["messenger_save_schedules_limited", withFields("schedules")],
  ["messenger_save_steps", withFields("stale")],
  ["messenger_settle", withFields("stale")],
  ["messenger_settle_and_claim", withFields("stale", "claim")],
  ["messenger_settle_deliveries", withFields("stale", "repeated")],
  ["messenger_start_tick", withFields("id", "proceed")],
  ["messenger_start_worker", isId],
  ["messenger_sync_schedules", withFields("schedules")],
  ["messenger_trigger_schedule", isId],
  ["messenger_write_batch", withFields("id", "total")],
]);

/** Whether a result can be that of an SQL function. One whose result decides nothing may return anything. */
export function isResultOf(name: string, result: unknown): boolean {
  return CHECKS.get(name)?.(result) ?? true;
}
