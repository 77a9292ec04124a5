/** An approval by a link in a mail: a POST of its token emits, once, and a GET does nothing. Needs no stack. */

import { assertEquals, assertRejects } from "@std/assert";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { dispatchFunction } from "./dispatch_function.ts";
import { ApproveExpense } from "./messages/expense.ts";
import { SendMail } from "./messages/mail.ts";
import { events, messages } from "./messages/mod.ts";
import { answer } from "./page/answer.ts";
import { mailbox } from "./replaced.ts";

const EXPENSE = { expense: "E-7", manager: "grace@example.org", employee: "ada@example.org" };

/** An expense whose manager has the mail, the link in it, and the function `dispatch`. */
async function asked() {
  const mailed = mailbox();
  const t = createTestMessenger({ messages, events });
  await t.dispatch(ApproveExpense, EXPENSE);
  await t.drain();
  const link = mailed.mails[0]?.link ?? "";
  return { t, link, send: dispatchFunction(t), [Symbol.dispose]: () => mailed[Symbol.dispose]() };
}

Deno.test("a click approves the expense", async () => {
  using expense = await asked();
  const { t, link, send } = expense;
  assertEquals(t.pending().map(({ type }) => type), ["ApproveExpense"]);

  await t.advance("2d");
  assertEquals(await answer(link, { ok: true }, send), "done");
  await t.drain();

  t.assertDispatched(SendMail, { to: EXPENSE.employee, template: "approved" }, { times: 1 });
  assertEquals(t.pending(), []);
});

Deno.test("ten GETs of a mail scanner emit nothing, the first POST emits, the second is refused", async () => {
  using expense = await asked();
  const { t, link, send } = expense;
  const token = new URL(link).hash.slice(1);

  for (let n = 0; n < 10; n++) {
    const url = `https://project.supabase.co/functions/v1/dispatch/events?token=${token}`;
    const response = await send(new Request(url));
    assertEquals(response.status, 405);
    await response.body?.cancel();
  }
  assertEquals(t.events(), []);

  assertEquals(await answer(link, { ok: false }, send), "done");
  assertEquals(await answer(link, { ok: true }, send), "used");
  await t.drain();
  t.assertDispatched(SendMail, { template: "rejected" }, { times: 1 });
});

Deno.test("a value that does not fit is refused, and the link still works", async () => {
  using expense = await asked();
  const { link, send } = expense;
  await assertRejects(() => answer(link, { ok: "perhaps" }, send), Error, "status 400");
  assertEquals(await answer(link, { ok: true }, send), "done");
});

Deno.test("without an answer within seven days the employee is told so, and the link has expired", async () => {
  using expense = await asked();
  const { t, link, send } = expense;
  await t.advance("7d");
  await t.drain();
  t.assertDispatched(SendMail, { template: "unanswered" }, { times: 1 });
  assertEquals(await answer(link, { ok: true }, send), "expired");
});
