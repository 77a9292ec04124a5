/** An onboarding over days, in milliseconds: the test moves the clock. Needs no stack. */

import { assertEquals } from "@std/assert";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { messages } from "./messages/mod.ts";
import { Onboard } from "./messages/onboarding.ts";
import { isDown, mailbox } from "./replaced.ts";

const ADA = { user: "u1", mail: "ada@example.org" };

/** A messenger on a new user's first day, and the mails so far. */
async function firstDay() {
  const mailed = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(Onboard, ADA);
  await t.drain();
  return {
    t,
    trouble: mailed.trouble,
    templates: () => mailed.mails.map(({ template }) => template),
    token: () => new URL(mailed.mails[0]?.link ?? "").hash.slice(1),
    [Symbol.dispose]: () => mailed[Symbol.dispose](),
  };
}

Deno.test("a user who clicks has the tips a day later, and no reminder", async () => {
  using user = await firstDay();
  const { t, templates, token } = user;
  await t.advance("2h");
  await t.redeem(token()); // as the page's POST does
  await t.drain();
  assertEquals(templates(), ["welcome"]);

  await t.advance("1d");
  await t.drain();
  assertEquals(templates(), ["welcome", "tips"]);
  assertEquals(t.handled().length, 1);
});

Deno.test("a user who does not click is reminded after three days, with the same link", async () => {
  using user = await firstDay();
  const { t, templates, token } = user;
  await t.advance("3d");
  await t.drain();
  assertEquals(templates(), ["welcome", "reminder"]);

  await t.redeem(token());
  await t.drain();
  await t.advance("1d");
  await t.drain();
  assertEquals(templates(), ["welcome", "reminder", "tips"]);
});

Deno.test("after a week without a click sales are told, and a later click changes nothing", async () => {
  using user = await firstDay();
  const { t, templates, token } = user;
  await t.advance("3d");
  await t.drain();
  await t.advance("4d");
  await t.drain();
  assertEquals(templates(), ["welcome", "reminder", "call-them"]);

  await t.redeem(token());
  assertEquals((await t.drain()).claimed, 0);
});

Deno.test("a mail that fails is sent again, and those before it are not", async () => {
  using user = await firstDay();
  const { t, templates, trouble } = user;
  trouble.push(isDown());
  await t.advance("3d");
  assertEquals((await t.drain()).retried, 1);
  await t.advance("1h");
  await t.drain();
  assertEquals(templates(), ["welcome", "reminder"]);
});
