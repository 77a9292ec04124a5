/** The body of an enqueue: messages that differ in their payloads alone have their other fields once. */

import { assertEquals } from "@std/assert";
import {
  enqueueBody,
  writtenIds,
} from "../../../supabase/functions/_shared/symphony/database/enqueue-body.ts";
import type { OutgoingMessage } from "../../../supabase/functions/_shared/symphony/message/envelope.ts";

const bodyOf = (...messages: OutgoingMessage[]) => JSON.parse(enqueueBody(messages));
const at = new Date("2030-01-01T00:00:00Z");

Deno.test("fields that all messages have in common are written once", () => {
  const fields = { type: "A", queue: "mail", priority: 5, ttlMs: 9 };
  const message = (payload: unknown) => ({
    ...{ ...fields, payload, availableAt: new Date(at) },
    stamps: { trace: fields },
  });
  assertEquals(bodyOf(message(1), message(null), message({ n: 3 })), {
    ...{ type: "A", queue: "mail", priority: 5, ttl_ms: 9, available_at: at.toISOString() },
    stamps: { trace: fields },
    payloads: [1, null, { n: 3 }],
  });
});

Deno.test("messages that differ in another field than the payload are written each", () => {
  const message: OutgoingMessage = { type: "A", payload: 1, stamps: { by: "ada" } };
  const others: { [Field in keyof OutgoingMessage]?: OutgoingMessage[Field] | undefined }[] = [
    { type: "B" },
    { payload: undefined },
    { queue: "mail" },
    { priority: 1 },
    { delayMs: 1 },
    { availableAt: at },
    { ttlMs: 1 },
    { transport: "other" },
    { idempotencyKey: "k" },
    { dedupeKey: "k" },
    { groupKey: "g" },
    { stamps: { by: "bob" } },
    { stamps: { by: "ada", more: 1 } },
    { stamps: { of: "ada" } },
    { stamps: undefined },
  ];
  for (const fields of others) {
    const other = { ...message, ...fields } as OutgoingMessage;
    assertEquals(bodyOf(message, other).length, 2, JSON.stringify(fields));
    assertEquals(bodyOf(other, message).length, 2, JSON.stringify(fields));
  }
});

Deno.test("messages with keys are written each, also if the keys are equal", () => {
  for (const key of ["idempotencyKey", "dedupeKey", "groupKey"]) {
    const message = { type: "A", payload: 1, [key]: "k" };
    assertEquals(bodyOf(message, message).length, 2, key);
  }
});

Deno.test("a single message and none are written as an array", () => {
  assertEquals(bodyOf({ type: "A", payload: 1, queue: "default", priority: 0 }), [
    { type: "A", payload: 1 },
  ]);
  assertEquals(bodyOf(), []);
});

Deno.test("ids in a row are read exactly, also beyond 2^53", () => {
  assertEquals(writtenIds(["7", "9"]), ["7", "9"]);
  assertEquals(writtenIds({ first: "7", number: 3 }), ["7", "8", "9"]);
  assertEquals(writtenIds({ first: "9007199254740991", number: 2 }), [
    "9007199254740991",
    "9007199254740992",
  ]);
  assertEquals(writtenIds({ first: "500000000000000001", number: 2 }), [
    "500000000000000001",
    "500000000000000002",
  ]);
});
