/** A definition's rules about its callers are checked when it is defined. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  InvalidPayloadError,
  type MessageOptions,
  RateLimitedError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../../supabase/functions/_shared/symphony/bus/bus.ts";
import { limitsOf } from "../../../supabase/functions/_shared/symphony/bus/limits.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";

const define = (more: Partial<MessageOptions<z.ZodUnknown>>, type = "T") =>
  defineMessage({ type, schema: z.unknown(), handler: () => {}, ...more });

Deno.test("a definition that says nothing is closed to all but secret keys", () => {
  const { access, rateLimit, keepMs, live } = define({});
  assertEquals([access, rateLimit, keepMs, live], ["secret", undefined, undefined, false]);
});

const wrong: [string, unknown, string][] = [
  [
    "access",
    "everyone",
    "T: access: has to be 'secret', 'authenticated', 'anonymous' or a function",
  ],
  ["access", true, "T: access: has to be"],
  ["rateLimit", 0, "T: rateLimit: has to have perUser, total or both"],
  ["rateLimit", {}, "T: rateLimit: has to have perUser, total or both"],
  ["rateLimit", { perUsr: { max: 1, per: "1m" } }, "T: rateLimit: has to have perUser, total or"],
  ["rateLimit", { perUser: 5 }, "T: rateLimit: perUser: has to be { max, per }"],
  [
    "rateLimit",
    { perUser: { max: 0, per: "1m" } },
    "T: rateLimit: perUser: max: has to be a whole",
  ],
  ["rateLimit", { total: { max: 1.5, per: "1m" } }, "T: rateLimit: total: max: has to be a whole"],
  ["rateLimit", { total: { max: 1e7, per: "1m" } }, "T: rateLimit: total: max: has to be a whole"],
  ["rateLimit", { total: { max: 1, per: "a day" } }, "T: rateLimit: total: per: has to be a whole"],
  ["rateLimit", { total: { max: 1, per: 999 } }, "T: rateLimit: total: per: has to be at least 1s"],
  ["maxPayloadBytes", 0, "T: maxPayloadBytes: has to be a whole number of bytes"],
  ["maxPayloadBytes", 1.5, "T: maxPayloadBytes: has to be a whole number of bytes"],
  ["keep", "long", "T: keep: has to be a whole number of milliseconds"],
];
for (const [option, value, message] of wrong) {
  Deno.test(`a definition with the ${option} ${JSON.stringify(value)} is refused by name`, () => {
    assertThrows(() => define({ [option]: value }), RangeError, message);
  });
}

Deno.test("a payload may have as many bytes as its definition says, in UTF-8", async () => {
  const transport = new InMemoryTransport();
  const registry = createRegistry([define({ maxPayloadBytes: 5 })]);
  const bus = new MessageBus({ registry, transport });
  await bus.dispatchAll([{ type: "T", payload: "abc" }, { type: "T", payload: "ü1" }]);
  const refused = await assertRejects(
    () => bus.dispatchAll([{ type: "T", payload: "üü" }]),
    InvalidPayloadError,
  );
  assertEquals(refused.issues[0]?.message, "may have 5 bytes as JSON; has 6");
});

Deno.test("a request is held to the limits of all its types, each for its number of messages", () => {
  const registry = createRegistry([
    define({ rateLimit: { perUser: { max: 3, per: "1m" } } }, "A"),
    define({ rateLimit: { perUser: { max: 9, per: "1m" }, total: { max: 8, per: "1s" } } }, "B"),
    define({}, "Free"),
  ]);
  const types = ["A", "B", "B", "Free", "A"].map((type) => ({ type }));
  assertEquals(limitsOf(types, "user:ann", registry), [
    { type: "A", caller: "user:ann", count: 2, max: 3, perMs: 60_000 },
    { type: "B", caller: "user:ann", count: 2, max: 9, perMs: 60_000 },
    { type: "B", caller: "total", count: 2, max: 8, perMs: 1_000 },
  ]);
  assertEquals(limitsOf([{ type: "Free" }], "publishable", registry), []);
});

Deno.test("more messages than a limit ever lets through at once are refused for good", () => {
  const registry = createRegistry([define({ rateLimit: { total: { max: 2, per: "1m" } } })]);
  assertThrows(
    () => limitsOf([1, 2, 3].map(() => ({ type: "T" })), "user:ann", registry),
    RangeError,
    "type: at most 2 messages of the type T at once",
  );
});

Deno.test("a caller's messages count against its limits when the bus sends them, a backend's do not", async () => {
  const transport = new InMemoryTransport();
  const registry = createRegistry([define({ rateLimit: { perUser: { max: 1, per: "1m" } } })]);
  const bus = new MessageBus({ registry, transport });
  const message = await bus.prepare({ type: "T", payload: 1 });
  await bus.send([message], "user:ann");
  await assertRejects(() => bus.send([message], "user:ann"), RateLimitedError);
  await assertRejects(() => bus.send([message, message], "user:bob"), RangeError, "at most 1");
  await bus.send([message], "user:bob");
  await bus.send([message, message]);
  assertEquals(transport.messages.length, 4);
});
