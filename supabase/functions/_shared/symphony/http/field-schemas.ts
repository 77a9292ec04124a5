/** Schemas of fields that several request bodies share. */

import { z } from "zod";
import { type Duration, parseDuration } from "../runtime/duration.ts";

/** A duration in the same notation as in code: '30s', or a number of milliseconds. */
export const durationField = z.union([z.string(), z.number()], "has to be a duration")
  .superRefine((value, ctx) => {
    try {
      parseDuration(value as Duration, "duration");
    } catch (error) {
      const message = error instanceof Error ? error.message.replace(/^\w+: /, "") : "is wrong";
      ctx.addIssue({ code: "custom", message });
    }
  })
  .transform((value) => value as Duration);

/** A moment: ISO 8601 with an offset, which becomes a Date. */
export const momentField = z.iso.datetime({
  offset: true,
  error: "has to be an ISO 8601 time with an offset",
}).transform((value) => new Date(value));

/** Name of a message type in a query. Postgres holds no U+0000. */
export const typeField = z.string().min(1, "is empty").max(
  200,
  "has to have at most 200 characters",
)
  .refine((type) => !type.includes("\0"), "holds U+0000");

/** `cursor` of a page whose `next` is an id. */
export const cursorField = z.string()
  .regex(/^\d{1,18}$/, "has to be the `next` of the page before");

/** `limit` of a page. @param largest the most entries of one page */
export const limitField = (largest: number) => {
  const message = `has to be a whole number from 1 to ${largest}`;
  return z.string().regex(/^\d{1,9}$/, message).transform(Number)
    .pipe(z.number().min(1, message).max(largest, message)).default(50);
};
