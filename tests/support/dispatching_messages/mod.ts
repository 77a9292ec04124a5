/** Messages of the tests, and some whose handlers dispatch others of them. */

import { z } from "zod";
import {
  defineMessage,
  type MessageDefinition,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { messages as others, Note, record } from "../messages/mod.ts";

const Parent = defineMessage({
  type: "Parent",
  schema: z.object({ text: z.string() }),
  retry: { maxRetries: 3, delay: 0 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    await ctx.dispatch(Note, payload);
  },
});

/** One handler dispatches, the other fails. */
const HalfFailing = defineMessage({
  type: "HalfFailing",
  schema: z.object({}),
  retry: { maxRetries: 0 },
  handler: {
    dispatches: async (payload, ctx) => {
      await record(ctx, payload);
      await ctx.dispatch(Note, { text: "of the handler that succeeded" });
    },
    fails: () => {
      throw new Error("no luck");
    },
  },
});

export const messages: MessageDefinition[] = [...others, Parent, HalfFailing];
