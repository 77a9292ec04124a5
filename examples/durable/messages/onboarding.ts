/** An onboarding over days: a mail, a wait for the click in it, a reminder, and a fallback. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { mailer } from "./mail.ts";

/**
 * Welcomes a user. The handler runs from its top after each pause, and finds the results of its finished steps: each
 * mail is sent once. A message that sleeps or waits holds no worker.
 */
export const Onboard = defineMessage({
  type: "Onboard",
  schema: z.object({ user: z.string(), mail: z.email() }),
  handler: async ({ user, mail }, ctx) => {
    const event = `confirmed:${user}`;
    const token = await ctx.step("token", () => ctx.token(event, { expires: "14d" }));
    const link = `https://app.example/confirm#${token}`;
    const send = (template: string, to = mail) =>
      ctx.step(template, (call) => mailer.send({ to, template, link }, call));

    await send("welcome");
    let click = await ctx.waitFor(event, { timeout: "3d" });
    if (click === null) {
      await send("reminder");
      click = await ctx.waitFor(event, { timeout: "4d" });
    }
    if (click === null) return await send("call-them", "sales@example.org");

    await ctx.sleep("1d");
    await send("tips");
  },
});
