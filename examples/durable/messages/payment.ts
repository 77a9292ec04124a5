/** An order: reserve the goods, charge the card, ship. If a step fails for good, the others are undone. */

import { z } from "zod";
import { defineMessage, StepError } from "../../../supabase/functions/_shared/symphony/index.ts";
import { shop } from "./shop.ts";
import { SendMail } from "./mail.ts";

/**
 * Pays and ships an order. A step that has succeeded never runs again, whatever happens after it. One that fails is
 * retried after 10 s, 20 s and 40 s: the run ends there, and `catch` does not run. Only a failure for good is thrown.
 */
export const PayOrder = defineMessage({
  type: "PayOrder",
  schema: z.object({ order: z.string(), cents: z.int().positive(), mail: z.email() }),
  retry: { maxRetries: 3, delay: "10s", multiplier: 2, jitter: 0 },
  handler: async ({ mail, ...order }, ctx) => {
    const undo: (() => Promise<void>)[] = [];
    try {
      // A call whose answer was lost may have worked. So each step's opposite is noted before the step.
      undo.push(() => ctx.step("release", (call) => shop.release(order, call)));
      await ctx.step("reserve", (call) => shop.reserve(order, call));

      undo.push(() => ctx.step("refund", (call) => shop.refund(order, call)));
      await ctx.step("charge", (call) => shop.charge(order, call), { timeout: "10s" });

      await ctx.step("ship", (call) => shop.ship(order, call));
      await ctx.dispatch(SendMail, { to: mail, template: "shipped" });
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      ctx.log.warn("order_undone", { step: error.step, reason: error.reason });
      for (const step of undo.reverse()) await step();
      await ctx.dispatch(SendMail, { to: mail, template: "cancelled" });
    }
  },
});
