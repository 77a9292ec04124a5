/** How a project tests its messages with the test kit. Needs no stack: `deno test examples/testing`. */

import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../supabase/functions/_shared/symphony/index.ts";
import {
  createTestMessenger,
  DispatchAssertionError,
} from "../../supabase/functions/_shared/symphony/testing.ts";
import { SendMail } from "./messages/mail.ts";
import { type Mail, mailer } from "./messages/mailer.ts";
import { messages, schedules } from "./messages/mod.ts";
import { SignUp } from "./messages/sign_up.ts";

/** Replaces the mail API until the test ends. Each status is the response to one mail, then 200. */
function fakeMailer(...statuses: number[]) {
  const sent: Mail[] = [];
  const real = mailer.send;
  mailer.send = (mail) => {
    const status = statuses.shift() ?? 200;
    if (status >= 400) {
      return Promise.reject(new HttpError(status, { message: "the mail API refused" }));
    }
    sent.push(mail);
    return Promise.resolve();
  };
  return { sent, [Symbol.dispose]: () => void (mailer.send = real) };
}

Deno.test("a sign-up is welcomed by mail", async () => {
  using mails = fakeMailer();
  const t = createTestMessenger({ messages });

  const id = await t.dispatch(SignUp, { email: "ada@example.org" });
  assertEquals(t.pending().map((message) => message.id), [id]);
  assertEquals(await t.drain(), { claimed: 2, handled: 2, retried: 0, failed: 0 });

  t.assertDispatched(SendMail, { to: "ada@example.org" }, { times: 1 });
  assertEquals(mails.sent, [{ to: "ada@example.org", template: "welcome" }]);
  assertEquals(t.pending(), []);
});

Deno.test("a mail is sent again after 2 s if the mail API is down", async () => {
  using mails = fakeMailer(503);
  const t = createTestMessenger({ messages });
  await t.dispatch(SendMail, { to: "ada@example.org", template: "welcome" });

  assertEquals((await t.drain()).retried, 1);
  assertEquals((await t.drain()).claimed, 0);
  await t.advance("2s");
  assertEquals((await t.drain()).handled, 1);
  assertEquals([mails.sent.length, t.handled()[0]?.attempts], [1, 2]);
});

Deno.test("a mail that fails three times is a dead letter with every error", async () => {
  using _mails = fakeMailer(503, 503, 503);
  const t = createTestMessenger({ messages });
  await t.dispatch(SendMail, { to: "ada@example.org", template: "welcome" });

  await t.drain();
  await t.advance("2s");
  await t.drain();
  await t.advance("4s");
  assertEquals((await t.drain()).failed, 1);

  const [letter] = t.failed();
  assertEquals([letter?.reason, letter?.attempts, letter?.errors.length], ["exhausted", 3, 3]);
});

Deno.test("a mail that the mail API refuses is a dead letter at once", async () => {
  using _mails = fakeMailer(422);
  const t = createTestMessenger({ messages });
  await t.dispatch(SendMail, { to: "ada@example.org", template: "welcome" });

  assertEquals((await t.drain()).failed, 1);
  assertEquals(t.failed().map(({ attempts, error }) => [attempts, error]), [
    [1, "the mail API refused"],
  ]);
});

Deno.test("the digest is sent on Mondays at nine", async () => {
  using mails = fakeMailer();
  const sunday = new Date("2026-03-01T12:00:00Z");
  const t = createTestMessenger({ messages, schedules, now: sunday });

  await t.drain();
  assertEquals(mails.sent, []);
  await t.advance("21h");
  await t.drain();
  assertEquals(mails.sent, [{ to: "team@example.org", template: "digest" }]);

  const [digest] = await t.scheduler.list();
  assertEquals(digest?.nextRunAt, new Date("2026-03-09T09:00:00Z"));
});

Deno.test("assertDispatched shows what was dispatched", async () => {
  using _mails = fakeMailer();
  const t = createTestMessenger({ messages });
  await t.dispatch(SendMail, { to: "ada@example.org", template: "welcome" });

  const error = assertThrows(
    () => t.assertDispatched(SendMail, { template: "digest" }),
    DispatchAssertionError,
  );
  assertEquals(
    error.message,
    'SendMail with {"template":"digest"}: was dispatched 0 times; expected one or more. Dispatched:\n' +
      '  1. SendMail {"to":"ada@example.org","template":"welcome"}',
  );
});
