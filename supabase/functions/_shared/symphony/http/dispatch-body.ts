/** The body of a request to `dispatch`: one message, with or without a schedule, or an array of up to 1,000. */

import { z } from "zod";
import type { MessageInput } from "../message/dispatch-options.ts";
import { type CallerOption, CHOSEN_OPTIONS } from "../message/definition.ts";
import { durationField, momentField } from "./field-schemas.ts";
import { scheduleBody } from "./schedule-body.ts";

/** The largest number of messages in one request. */
export const MAX_MESSAGES = 1_000;

const fields = {
  type: z.string("has to be the name of a message type"),
  payload: z.unknown().optional(),
  delay: durationField.optional(),
  availableAt: momentField.optional(),
  queue: z.string().optional(),
  lane: z.string().optional(),
  priority: z.number().optional(),
  idempotencyKey: z.string().optional(),
  groupKey: z.string().optional(),
  dedupeKey: z.string().optional(),
  transport: z.string().optional(),
};

const hasPayload = (value: object) => "payload" in value;
const missing = { path: ["payload"], message: "is required" };

const message = z.strictObject({ ...fields, schedule: scheduleBody.optional() })
  .refine(hasPayload, missing)
  .superRefine((value, ctx) => {
    const ofOne = [
      "lane",
      "delay",
      "availableAt",
      "idempotencyKey",
      "dedupeKey",
      "transport",
    ] as const;
    for (const field of ofOne) {
      if (value.schedule !== undefined && value[field] !== undefined) {
        ctx.addIssue({ code: "custom", path: [field], message: "does not go with a schedule" });
      }
    }
  });

const element = z.strictObject(fields).refine(hasPayload, missing);

const messages = z.array(element).min(1, "the array has to hold a message")
  .max(MAX_MESSAGES, `the array may hold at most ${MAX_MESSAGES} messages`);

const event = z.strictObject({ type: fields.type, payload: fields.payload })
  .refine(hasPayload, missing).optional();

/** The body of a request that writes one chunk of a batch, by default the only one. */
export const batchBody = z.strictObject({
  name: z.string(),
  messages: z.array(element).max(MAX_MESSAGES, `may hold at most ${MAX_MESSAGES} messages`),
  idempotencyKey: z.string().optional(),
  onFinished: event,
  onSucceeded: event,
  onFailed: event,
  chunk: z.int().min(1).max(1_000_000).default(1),
  isLast: z.boolean().default(true),
}).superRefine(({ idempotencyKey, chunk, isLast }, ctx) => {
  if (idempotencyKey !== undefined || chunk === 1 && isLast) return;
  const message = "is required for a batch of several chunks";
  ctx.addIssue({ code: "custom", path: ["idempotencyKey"], message });
});

/** One chunk of a batch, as a request holds it. */
export type BatchBody = z.output<typeof batchBody>;

/** Returns the schema for the body of a dispatch request: an array's elements may have no schedule. */
export function dispatchBody(body: unknown): typeof messages | typeof message {
  return Array.isArray(body) ? messages : message;
}

/** One message of a dispatch request. */
export type DispatchMessage = z.output<typeof message>;

/**
 * Returns the options of a message that frontends may choose only if the definition allows it. A queue may name a lane
 * as well.
 */
export function chosenOptions(message: DispatchMessage): CallerOption[] {
  return CHOSEN_OPTIONS.filter((option) =>
    message[option] !== undefined || option === "lane" && message.queue?.includes("/")
  );
}

/** Converts a message of a request to the bus's input. `more` holds options that no caller may choose. */
export function toMessageInput(
  message: DispatchMessage,
  more: Pick<NonNullable<MessageInput["options"]>, "stamps">,
): MessageInput {
  const { type, payload, schedule: _, ...rest } = message;
  const options = Object.fromEntries(
    Object.entries({ ...rest, ...more }).filter(([, value]) => value !== undefined),
  );
  return { type, payload, options };
}
