/** An expense that a manager approves by a link in a mail. */

import { z } from "zod";
import { defineEvent, defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { mailer, SendMail } from "./mail.ts";

/** A manager's answer. Its key is the expense: `approved:E-7`. A value that does not fit is refused. */
export const Approved = defineEvent({ name: "approved", schema: z.object({ ok: z.boolean() }) });

/** Asks the manager and tells the employee what became of it. It holds no worker while it waits. */
export const ApproveExpense = defineMessage({
  type: "ApproveExpense",
  schema: z.object({ expense: z.string(), manager: z.email(), employee: z.email() }),
  handler: async ({ expense, manager, employee }, ctx) => {
    const event = `${Approved.name}:${expense}`;
    // A token differs at each call. As the result of a step, it is the same if the mail has to be sent again.
    const token = await ctx.step("token", () => ctx.token(event, { expires: "7d" }));
    // Behind #, no server and no log sees the token. The page is yours: page/answer.ts has its code.
    const link = `https://app.example/expenses/${encodeURIComponent(expense)}#${token}`;
    await ctx.step("ask", (call) => mailer.send({ to: manager, template: "approve", link }, call));

    const answer = await ctx.waitFor(event, { schema: Approved.schema, timeout: "7d" });
    const template = answer === null ? "unanswered" : answer.value.ok ? "approved" : "rejected";
    await ctx.dispatch(SendMail, { to: employee, template });
  },
});
