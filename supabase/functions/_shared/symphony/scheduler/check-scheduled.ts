/** Checks a schedule and its message before they are saved: options, schema, definition, middleware. */

import type { MessageBus } from "../bus/bus.ts";
import type { Stamps } from "../message/envelope.ts";
import { toStorableJson } from "../message/payload.ts";
import { checkLifetime, checkMessage } from "./arguments.ts";
import { checkSchedule } from "./check-schedule.ts";
import type { ScheduledMessage, ScheduleDraft } from "./schedule.ts";
import type { ScheduleOptions } from "./schedule-options.ts";

/** A checked schedule whose first run is not known yet. */
export type CheckedSchedule = Pick<ScheduleDraft, "definition" | "message"> & {
  readonly stamps?: Stamps;
};

/**
 * Checks a schedule and its message.
 * @param bus checks the message against its definition; without a bus a payload only has to be JSON
 * @param more.stamps facts that travel with each message
 * @param more.given the options that must have an effect; default: all
 * @throws RangeError that names the wrong option, and the errors of {@link MessageBus.prepare}
 */
export async function checkScheduled(
  bus: MessageBus | undefined,
  message: ScheduledMessage,
  options: ScheduleOptions,
  { stamps, given = options }: { readonly stamps?: Stamps; readonly given?: object } = {},
): Promise<CheckedSchedule> {
  const definition = checkSchedule(options, given);
  const { type, payload } = checkMessage(message);
  // The given payload is stored. Middleware changes the message again at each run.
  const stored = { type, payload: toStorableJson(type, payload) };
  if (!bus) return { definition, message: stored, ...(stamps && { stamps }) };
  const prepared = await bus.prepare({ type, payload, options: stamps ? { stamps } : {} });
  checkLifetime(definition, prepared.ttlMs);
  return { definition, message: stored, ...(prepared.stamps && { stamps: prepared.stamps }) };
}
