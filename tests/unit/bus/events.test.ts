/** Emits in code: checked by declarations, and tokens with a clock. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { Events } from "../../../supabase/functions/_shared/symphony/bus/events.ts";
import { ConflictError } from "../../../supabase/functions/_shared/symphony/message/errors.ts";
import { InvalidPayloadError } from "../../../supabase/functions/_shared/symphony/index.ts";
import { defineEvent } from "../../../supabase/functions/_shared/symphony/message/event.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";

const Approved = defineEvent({ name: "approved", schema: z.object({ ok: z.boolean() }) });
const START = Date.UTC(2026, 0, 1);

function bench() {
  const transport = new InMemoryTransport();
  const clock = { ms: START };
  const now = () => new Date(clock.ms);
  const events = new Events({ transport, events: [Approved], secrets: ["k"], now });
  return { transport, clock, events };
}

Deno.test("a declared event is checked by its schema, and another is not", async () => {
  const { events, transport } = bench();
  await assertRejects(() => events.emit("approved:42", { ok: "yes" }), InvalidPayloadError);
  await events.emit("approved:42", { ok: true });
  await events.emit("other", new Date(0));
  await events.emit("nothing");
  assertEquals(transport.events.all.map(({ event, value }) => [event, value]), [
    ["approved:42", { ok: true }],
    ["other", "1970-01-01T00:00:00.000Z"],
    ["nothing", null],
  ]);
});

Deno.test("what is no event, or no value that can be kept, is refused", async () => {
  const { events, transport } = bench();
  await assertRejects(() => events.emit(""), RangeError, "event: has to be 1 to 255 characters");
  await assertRejects(() => events.emit("messenger.x"), RangeError, "event: may not begin");
  await assertRejects(() => events.emit("e", NaN), InvalidPayloadError);
  await assertRejects(() => events.emit("e", "v".repeat(256_000)), InvalidPayloadError);
  assertEquals(transport.events.all, []);
});

Deno.test("a token emits its event once, and not after its time", async () => {
  const { events, clock, transport } = bench();
  const token = events.token("approved:42", { expires: "7d" }, "1");
  const content = events.read(token);
  if (!content) throw new Error("the token is not read");
  assertEquals([content.event, content.messageId, content.isExpired], ["approved:42", "1", false]);
  // A value that does not fit uses nothing up.
  await assertRejects(() => events.redeem(content, {}), InvalidPayloadError);
  await events.redeem(content, { ok: true });
  await assertRejects(() => events.redeem(content, { ok: true }), ConflictError, "token: was used");
  assertEquals(transport.events.all.length, 1);

  clock.ms += 7 * 86_400_000;
  assertEquals(events.read(token)?.isExpired, true);
  assertEquals(events.read(token.slice(0, -2)), null);
});

Deno.test("a token expires ahead, within 400 days", () => {
  const { events } = bench();
  for (const expires of [0, "401d", new Date(START), new Date(NaN)] as const) {
    assertThrows(() => events.token("e", { expires }, "1"), RangeError, "expires: ");
  }
  assertEquals(
    events.read(events.token("e", { expires: new Date(START + 1) }, "1"))?.expiresAt,
    START + 1,
  );
  // deno-lint-ignore no-explicit-any
  assertThrows(() => events.token("e", { expire: "1d" } as any, "1"), RangeError, "did you mean");
  const keyless = new Events({ transport: new InMemoryTransport() });
  assertThrows(() => keyless.token("e", { expires: "1d" }, "1"), Error, "no secret key");
});
