/** A message whose handler has a step, and dispatches another one. */

import { defineMessage, z } from "../../supabase/functions/_shared/symphony/index.ts";

export const Receipt = defineMessage({
  type: "Receipt",
  schema: z.object({ order: z.number() }),
  handler: () => {},
});

export const Order = defineMessage({
  type: "Order",
  schema: z.object({ order: z.number() }),
  handler: async ({ order }, ctx) => {
    await ctx.step("charge", () => ({ charged: order }));
    await ctx.dispatch(Receipt, { order });
  },
});
