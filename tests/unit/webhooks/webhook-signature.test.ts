/** Signatures of Standard Webhooks, verified by the published libraries. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { signWebhook } from "../../../supabase/functions/_shared/symphony/webhooks/webhook-signature.ts";

const OLD = `whsec_${btoa("an old secret of thirty-two byte")}`;
const NEW = `whsec_${btoa("a new secret of thirty-two bytes")}`;
const OTHER = `whsec_${btoa("another secret, of someone else.")}`;
const body = JSON.stringify({ type: "order.paid", data: { sum: "12,50 €" } });

async function headersOf(secrets: readonly string[]) {
  const timestamp = Math.floor(Date.now() / 1000);
  return {
    "webhook-id": "msg_1",
    "webhook-timestamp": String(timestamp),
    "webhook-signature": await signWebhook(secrets, { id: "msg_1", timestamp, body }),
  };
}

Deno.test("the library of Standard Webhooks and Svix's verify what is signed", async () => {
  const headers = await headersOf([NEW]);
  assertEquals(new Webhook(NEW).verify(body, headers), JSON.parse(body));
  assertEquals(new SvixWebhook(NEW).verify(body, headers), JSON.parse(body));
  assertThrows(() => new Webhook(OTHER).verify(body, headers));
  assertThrows(() => new Webhook(NEW).verify(`${body} `, headers));
});

Deno.test("during a rotation a receiver verifies with the old secret or the new one", async () => {
  const headers = await headersOf([NEW, OLD]);
  for (const secret of [NEW, OLD]) new Webhook(secret).verify(body, headers);
  assertThrows(() => new Webhook(OTHER).verify(body, headers));
});

Deno.test("a secret in another form is refused, and not shown", async () => {
  for (const secret of ["", "whsec_", "whsec_!!!", `whsec_${btoa("short")}`]) {
    const error = await assertRejects(() => headersOf([secret]), RangeError, "secret: ");
    if (secret.length > 6) assertEquals(error.message.includes(secret), false);
  }
});
