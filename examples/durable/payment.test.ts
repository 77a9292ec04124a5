/** An order that is paid: its steps run once, and a failure for good undoes them once. Needs no stack. */

import { assertEquals } from "@std/assert";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { SendMail } from "./messages/mail.ts";
import { messages } from "./messages/mod.ts";
import { PayOrder } from "./messages/payment.ts";
import { shop } from "./messages/shop.ts";
import { isDown, mailbox, refuses, replace } from "./replaced.ts";

const ORDER = { order: "A-17", cents: 4_200, mail: "ada@example.org" };

type Service = keyof typeof shop;

/** A shop in memory, until the end of the scope. `trouble` has the errors of each service's next calls. */
function fakeShop(trouble: Partial<Record<Service, Error[]>> = {}) {
  const calls: Service[] = [];
  const keys: Record<string, Set<string>> = {};
  const fake = (name: Service) => (_order: unknown, { key }: { key: string }) => {
    calls.push(name);
    (keys[name] ??= new Set()).add(key);
    const error = trouble[name]?.shift();
    return error ? Promise.reject(error) : Promise.resolve();
  };
  const names = Object.keys(shop) as Service[];
  const parts = Object.fromEntries(names.map((name) => [name, fake(name)]));
  const replaced = replace(shop, parts);
  return { calls, keys, [Symbol.dispose]: () => replaced[Symbol.dispose]() };
}

Deno.test("each step of an order runs once, although a later one fails twice", async () => {
  using shop = fakeShop({ ship: [isDown(), isDown()] });
  using _mailbox = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(PayOrder, ORDER);

  assertEquals((await t.drain()).retried, 1);
  await t.advance("10s");
  assertEquals((await t.drain()).retried, 1);
  await t.advance("20s");
  await t.drain();

  assertEquals(shop.calls, ["reserve", "charge", "ship", "ship", "ship"]);
  t.assertDispatched(SendMail, { template: "shipped" }, { times: 1 });
});

Deno.test("a charge whose answer is lost is repeated under the same key", async () => {
  using shop = fakeShop({ charge: [new TypeError("connection closed")] });
  using _mailbox = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(PayOrder, ORDER);

  await t.drain();
  await t.advance("10s");
  await t.drain();

  assertEquals(shop.calls, ["reserve", "charge", "charge", "ship"]);
  assertEquals(shop.keys.charge?.size, 1); // the payment service charges once for a key
});

Deno.test("an order that cannot be shipped is refunded and released, once, the latest first", async () => {
  using shop = fakeShop({ ship: [refuses()], refund: [isDown()] });
  using mailed = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(PayOrder, ORDER);

  assertEquals((await t.drain()).retried, 1); // the refund is a step as well: it is retried
  await t.advance("10s");
  await t.drain();

  assertEquals(shop.calls, ["reserve", "charge", "ship", "refund", "refund", "release"]);
  assertEquals(mailed.mails, [{ to: ORDER.mail, template: "cancelled" }]);
  assertEquals(t.failed(), []); // an order that was undone is no dead letter
});

Deno.test("a service that stays down is given up after four attempts, and its order undone", async () => {
  using shop = fakeShop({ charge: Array.from({ length: 4 }, isDown) });
  using _mailbox = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(PayOrder, ORDER);

  for (const delay of ["10s", "20s", "40s"] as const) {
    await t.drain();
    await t.advance(delay);
  }
  await t.drain();

  const charges = Array.from({ length: 4 }, () => "charge");
  assertEquals(shop.calls, ["reserve", ...charges, "refund", "release"]);
});

Deno.test("an undoing that fails for good is a dead letter of its own, beside the order that has ended", async () => {
  using shop = fakeShop({ ship: [refuses()], release: [refuses()] });
  using mailed = mailbox();
  const t = createTestMessenger({ messages });
  await t.dispatch(PayOrder, ORDER);
  await t.drain();

  assertEquals(shop.calls, ["reserve", "charge", "ship", "refund", "release"]);
  assertEquals(t.handled().map(({ type }) => type), ["PayOrder"]);
  assertEquals(t.failed().map(({ type }) => type), ["UndoOrder"]); // redriven, it only releases
  assertEquals(mailed.mails, []);
});
