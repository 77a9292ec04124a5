/** Bodies of messages in an engine: what is read is what was written, and what others wrote is refused by its field. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  readBody,
  writeBody,
} from "../../../supabase/functions/_shared/symphony/transport/engine-body.ts";

const origin = "5f3c6e0a-58f4-4f43-9c3e-6b1a8a0e2d11";
const createdAt = "2026-01-01T00:00:00.000Z";

Deno.test("a body that is read holds what was written, with the defaults of what was left out", () => {
  assertEquals(readBody(writeBody({ origin, payload: { to: "ada" }, createdAt })), {
    origin,
    payload: { to: "ada" },
    priority: 0,
    groupKey: null,
    createdAt,
    availableAt: null,
    expiresAt: null,
    retryCount: 0,
    attempts: 0,
    snoozes: 0,
    interruptions: 0,
    stamps: {},
    errors: [],
    repeated: false,
  });
  const full = {
    origin,
    payload: null,
    priority: -5,
    groupKey: "team 7",
    createdAt,
    availableAt: "2026-01-01T12:00:00.000Z",
    expiresAt: "2026-01-02T00:00:00.000Z",
    retryCount: 2,
    attempts: 4,
    snoozes: 1,
    interruptions: 1,
    stamps: { redriven: 1, mine: { a: [1] } },
    errors: [{ message: "no route" }],
    repeated: true,
  };
  assertEquals(readBody(writeBody(full)), full);
});

Deno.test("stamps of the bus that are not what they have to be are left out", () => {
  const stamps = { user: 7, redriven: "x", mine: 1 } as never;
  assertEquals(readBody(writeBody({ origin, payload: 1, createdAt, stamps })).stamps, { mine: 1 });
});

Deno.test("a body that was not written here is refused with its field's name", () => {
  const of = (body: unknown) => () => readBody(JSON.stringify(body));
  assertThrows(() => readBody("x"), SyntaxError);
  assertThrows(of({ origin, createdAt }), RangeError, "body: payload: ");
  assertThrows(of([]), RangeError, "body: ");
  assertThrows(of({ payload: 1, createdAt }), RangeError, "body: origin: ");
  assertThrows(of({ origin, payload: 1 }), RangeError, "body: createdAt: ");
  assertThrows(of({ origin, payload: 1, createdAt, attempts: -1 }), RangeError, "body: attempts: ");
  assertThrows(
    of({ origin, payload: 1, createdAt, priority: 1e9 }),
    RangeError,
    "body: priority: ",
  );
  assertThrows(of({ origin, payload: 1, createdAt, stamps: 7 }), RangeError, "body: stamps: ");
  assertThrows(() =>
    readBody(`{"origin":"${origin}","createdAt":"${createdAt}","payload":12345678901234567890}`)
  );
});

Deno.test("a body that Postgres could not keep is refused with the place of the value", () => {
  const body = { origin, payload: 1, createdAt };
  const deep = "[".repeat(101) + "]".repeat(101);
  const wrong: [text: string, place: string][] = [
    [JSON.stringify({ ...body, payload: { a: ["\0"] } }), "payload.a.0"],
    [JSON.stringify({ ...body, payload: { "\0": 1 } }), "payload"],
    [JSON.stringify({ ...body, groupKey: "a\0" }), "groupKey"],
    [JSON.stringify({ ...body, stamps: { mine: "\ud800" } }), "stamps.mine"],
    [JSON.stringify({ ...body, errors: [{ message: "\0" }] }), "errors.0.message"],
    [JSON.stringify(body).replace('"payload":1', `"payload":${deep}`), "payload"],
    [JSON.stringify({ ...body, attempts: 2 ** 31 }), "attempts"],
    [JSON.stringify({ ...body, snoozes: 1e15 }), "snoozes"],
    [JSON.stringify({ ...body, createdAt: "0000-01-01T00:00:00Z" }), "createdAt"],
    [JSON.stringify({ ...body, createdAt: "9999-12-31T23:59:59-14:00" }), "createdAt"],
    [JSON.stringify({ ...body, availableAt: "0001-01-01T00:00:00+14:00" }), "availableAt"],
    [JSON.stringify({ ...body, expiresAt: "0001-01-01T00:00:00+00:01" }), "expiresAt"],
  ];
  const deepest = JSON.parse("[".repeat(100) + "]".repeat(100));
  assertEquals(readBody(writeBody({ ...body, payload: deepest })).payload, deepest);
  for (const [text, place] of wrong) assertThrows(() => readBody(text), Error, place, text);
});
