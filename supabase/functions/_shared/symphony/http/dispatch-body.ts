/** What `dispatch` takes: one message, or up to 1,000 in an array. */

import { z } from "zod";
import type { MessageInput } from "../bus.ts";
import { type Duration, parseDuration } from "../duration.ts";
import type { CallerOption } from "../message.ts";

/** Most messages in one request. */
export const MAX_MESSAGES = 1_000;

const duration = z.union([z.string(), z.number()], "has to be a duration")
  .superRefine((value, ctx) => {
    try {
      parseDuration(value as Duration, "delay");
    } catch (error) {
      const message = error instanceof Error ? error.message.replace(/^delay: /, "") : "is wrong";
      ctx.addIssue({ code: "custom", message });
    }
  })
  .transform((value) => value as Duration);

const message = z.strictObject({
  type: z.string("has to be the name of a message type"),
  payload: z.unknown(),
  delay: duration.optional(),
  availableAt: z.iso.datetime({ offset: true, error: "has to be an ISO 8601 time with an offset" })
    .transform((value) => new Date(value)).optional(),
  queue: z.string().optional(),
  priority: z.number().optional(),
  idempotencyKey: z.string().optional(),
  groupKey: z.string().min(1).max(255).optional(),
}).refine((value) => "payload" in value, { path: ["payload"], message: "is required" });

const messages = z.array(message).min(1, "the array has to hold a message")
  .max(MAX_MESSAGES, `the array may hold at most ${MAX_MESSAGES} messages`);

/** The schema of a dispatch request's body; an array is held to another than a single message. */
export function dispatchBody(body: unknown): typeof messages | typeof message {
  return Array.isArray(body) ? messages : message;
}

/** One message of a dispatch request. */
export type DispatchMessage = z.output<typeof message>;

/** Options in a message that a user may choose only where the definition allows it. */
export function chosenOptions(message: DispatchMessage): CallerOption[] {
  const options = ["delay", "availableAt", "queue", "priority", "groupKey"] as const;
  return options.filter((option) => message[option] !== undefined);
}

/** The message as the bus takes it. */
export function toMessageInput(
  message: DispatchMessage,
  more: Pick<NonNullable<MessageInput["options"]>, "idempotencyScope" | "stamps">,
): MessageInput {
  const { type, payload, ...rest } = message;
  const options = Object.fromEntries(
    Object.entries({ ...rest, ...more }).filter(([, value]) => value !== undefined),
  );
  return { type, payload, options };
}
