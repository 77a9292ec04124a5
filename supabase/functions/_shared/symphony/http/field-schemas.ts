/** Fields that several request bodies have. */

import { z } from "zod";
import { type Duration, parseDuration } from "../runtime/duration.ts";

/** A duration, as code takes it: '30s', or a number of ms. */
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

/** A moment, as ISO 8601 with an offset. */
export const momentField = z.iso.datetime({
  offset: true,
  error: "has to be an ISO 8601 time with an offset",
}).transform((value) => new Date(value));
