/** Schedules declared in code: `_messages/schedules.ts` lists them, and a sync writes them to the table. */

import type { z } from "zod";
import { typeOf } from "../message/definition-lists.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { readProperty } from "../runtime/inspect.ts";
import { checkIsOptions, isOptions } from "../runtime/option-names.ts";
import { checkScheduleNames } from "./check-schedule.ts";
import type { ScheduleOptions } from "./schedule-options.ts";
import type { ScheduledMessage, ScheduleDraft } from "./schedule.ts";

/** A schedule declared in code. Its name identifies it when its other options change. */
export interface DeclaredSchedule {
  readonly message: ScheduledMessage;
  readonly options: ScheduleOptions & { readonly name: string };
}

/**
 * Declares a schedule, type-checked against the message's schema. The sync checks the payload and the options' values.
 * @throws RangeError that names an unknown option
 */
export function defineSchedule<Schema extends z.ZodType>(
  definition: MessageDefinition<Schema>,
  payload: z.input<Schema>,
  options: ScheduleOptions & { readonly name: string },
): DeclaredSchedule {
  const type = typeOf(definition);
  checkIsOptions(options, "defineSchedule: ");
  checkScheduleNames(options, "defineSchedule: ");
  return { message: { type, payload }, options };
}

/** A hash of declarations. Equal declarations have equal hashes in every process. */
export async function fingerprintOf(
  drafts: readonly Pick<ScheduleDraft, "definition" | "message">[],
): Promise<string> {
  const text = JSON.stringify(drafts.map(({ definition, message }) => [definition, message]));
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Tells what {@link defineSchedule} returns from other values. */
export function isDeclared(one: unknown): one is DeclaredSchedule {
  return typeof readProperty(readProperty(one, "message"), "type") === "string" &&
    isOptions(readProperty(one, "options"));
}
