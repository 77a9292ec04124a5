/** An order: reserve the goods, charge the card, ship. If a step fails for good, the others are undone. */

import { z } from "zod";
import { defineMessage, StepError } from "../../../supabase/functions/_shared/symphony/index.ts";
import { SendMail } from "./mail.ts";
import { shop } from "./shop.ts";

const Order = z.object({ order: z.string(), cents: z.int().positive(), mail: z.email() });

/**
 * Pays and ships an order. A step that has succeeded never runs again, whatever happens after it. One that fails is
 * retried after 10 s, 20 s and 40 s: the run ends there, and `catch` does not run. Only a failure for good is thrown.
 */
export const PayOrder = defineMessage({
  type: "PayOrder",
  schema: Order,
  retry: { maxRetries: 3, delay: "10s", multiplier: 2, maxDelay: "1m" },
  handler: async (order, ctx) => {
    try {
      await ctx.step("reserve", (call) => shop.reserve(order, call));
      await ctx.step("charge", (call) => shop.charge(order, call), { timeout: "10s" });
      await ctx.step("ship", (call) => shop.ship(order, call));
      await ctx.dispatch(SendMail, { to: order.mail, template: "shipped" });
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      ctx.log.warn("order_failed", { step: error.step, reason: error.reason });
      // Written with the outcome of this message, so once.
      await ctx.dispatch(UndoOrder, order);
    }
  },
});

/**
 * Undoes an order, the latest step first, and the failed one too: a service may have done its part and lost the answer.
 * A message of its own, because a redrive forgets failures: that of an order whose undoing had failed would ship it.
 */
export const UndoOrder = defineMessage({
  type: "UndoOrder",
  schema: Order,
  retry: { maxRetries: 8, delay: "10s", multiplier: 3, maxDelay: "6h" },
  handler: async (order, ctx) => {
    await ctx.step("refund", (call) => shop.refund(order, call));
    await ctx.step("release", (call) => shop.release(order, call));
    await ctx.dispatch(SendMail, { to: order.mail, template: "cancelled" });
  },
});
