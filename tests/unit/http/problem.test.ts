/** Errors that callers over HTTP, and users of the client, get when the database is in trouble. */

import { assertEquals, assertInstanceOf } from "@std/assert";
import { faultOf } from "../../../supabase/functions/_shared/symphony/database/fault.ts";
import { z } from "zod";
import {
  DispatchTimeoutError,
  InvalidPayloadError,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { Problem, toProblem } from "../../../supabase/functions/_shared/symphony/http/problem.ts";
import { toScheduleProblem } from "../../../supabase/functions/_shared/symphony/http/schedule-body.ts";
import { MessengerError } from "../../../client/mod.ts";
import { toMessengerError } from "../../../client/errors.ts";

const cases: [string, string, number, string][] = [
  ["", "error sending request", 503, "unavailable"],
  ["08006", "connection failure", 503, "unavailable"],
  ["53300", "too many connections", 503, "unavailable"],
  ["57P01", "terminating connection", 503, "unavailable"],
  ["40P01", "deadlock detected", 503, "unavailable"],
  ["55P03", "lock not available", 503, "unavailable"],
  ["PGRST001", "no connection", 503, "unavailable"],
  ["PGRST002", "no schema cache", 503, "unavailable"],
  ["PGRST202", "Could not find the function public.messenger_enqueue_body", 503, "unavailable"],
  ["57014", "canceling statement due to statement timeout", 504, "timeout"],
  ["53200", "out of memory", 504, "timeout"],
  ["23505", "duplicate key value violates unique constraint", 409, "conflict"],
  ["23514", "violates check constraint", 500, "database_error"],
  ["22P02", "invalid input syntax", 500, "database_error"],
  ["P0001", "raised by a trigger", 500, "database_error"],
  ["PT500", "raised by a trigger", 500, "database_error"],
  ["45000", "raised by a trigger", 500, "database_error"],
  ["PT503", "raised by a trigger", 503, "unavailable"],
  ["23P01", "conflicting key value violates exclusion constraint", 409, "conflict"],
  ["XX000", "missing chunk", 500, "database_error"],
  ["42501", "permission denied for table messenger_messages", 500, "misconfigured"],
  [
    "42883",
    "function messenger.count_dispatches(jsonb) does not exist",
    500,
    "misconfigured",
  ],
  ["42P01", 'relation "public.messenger_messages" does not exist', 500, "misconfigured"],
  ["42703", 'column "audit" does not exist', 500, "misconfigured"],
  ["PGRST106", "the schema must be one of the following", 500, "misconfigured"],
  ["PGRST301", "JWT could not be decoded", 500, "misconfigured"],
];
for (const [code, message, status, name] of cases) {
  Deno.test(`the database's ${code || "silence"} is told as ${status} ${name}`, async () => {
    const fault = faultOf({ code, message });
    const retryable = fault === "passing" || fault === "too_much";
    const error = new TransportError("messenger_enqueue", message, retryable, {
      cause: { code, message },
      fault,
    });
    const problem = toProblem(error);
    assertEquals([problem.status, problem.code], [status, name]);
    assertEquals(problem.message.includes(message), false);
    assertEquals(problem.retryAfterS !== undefined, status === 503);

    const response = Response.json(problem, { status });
    const told = await toMessengerError({ context: response });
    assertEquals([told.status, told.detail, told.retryable], [status, name, status >= 503]);
    const kind = status >= 503 ? "unavailable" : status === 409 ? "conflict" : "internal";
    assertEquals(told.code, kind);
    assertInstanceOf(told, MessengerError);
  });
}

Deno.test("what a platform or a gateway answers is retryable where its status says so", async () => {
  const retryable = async (status: number) =>
    (await toMessengerError({ context: new Response("<html>", { status }) })).retryable;
  const statuses = [400, 401, 403, 404, 409, 413, 415, 408, 429, 500, 502, 503, 504, 546];
  assertEquals(
    await Promise.all(statuses.map(retryable)),
    statuses.map((status) => [408, 429].includes(status) || status >= 500),
  );
  assertEquals((await toMessengerError({})).retryable, true);
});

Deno.test("a payload's unknown fields are named one by one, twenty at most, unless the schema has words for them", () => {
  const issuesOf = (schema: z.ZodType, payload: unknown) => {
    const { error } = schema.safeParse(payload);
    return toProblem(new InvalidPayloadError("Note", error?.issues ?? []), [3]).issues;
  };
  const strict = z.object({ to: z.strictObject({ name: z.string() }) });
  const message = "is not a field of this payload";
  assertEquals(issuesOf(strict, { to: { name: "Ada", nmae: 1, age: 2 } }), [
    { path: [3, "payload", "to", "nmae"], message },
    { path: [3, "payload", "to", "age"], message },
  ]);
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`n${n}`, n]));
  assertEquals(issuesOf(z.strictObject({}), many)?.length, 20);
  const own = z.strictObject({}, "only what the form has");
  assertEquals(issuesOf(own, many), [{ path: [3, "payload"], message: "only what the form has" }]);
});

Deno.test("a dispatch whose schema or middleware takes too long may be tried again", async () => {
  const problem = toProblem(new DispatchTimeoutError("T: schema", 10_000));
  assertEquals([problem.status, problem.code], [504, "timeout"]);
  const told = await toMessengerError({ context: Response.json(problem, { status: 504 }) });
  assertEquals(told.retryable, true);
});

Deno.test("trouble of another transport is told with its name", () => {
  const of = (retryable: boolean) => {
    const error = new TransportError("send", "eu: is away", retryable, { transport: "eu" });
    const { status, message } = toProblem(error, []);
    return [status, message];
  };
  assertEquals(of(true), [503, "The transport eu did not answer; try again"]);
  assertEquals(of(false), [
    500,
    "The transport eu refused the request; trying again does not help",
  ]);
});

Deno.test("a full outbox is told as such, and asks to come back, without its size", () => {
  const message = "outbox: holds some 900 bytes that wait for their transports, of at most 1000";
  const problem = toProblem(
    new TransportError("send", message, true, { cause: { code: "PT503" } }),
  );
  assertEquals([problem.status, problem.code, problem.retryAfterS], [503, "unavailable", 2]);
  assertEquals(problem.message, "Too many messages wait for other transports; try again");
});

Deno.test("a field that a function in SQL refuses has its name of the API", () => {
  const problem = toProblem(new RangeError("messages.0.group_key: has to be 1 to 255 characters"));
  assertEquals(problem.issues, [
    { path: ["messages", "0", "groupKey"], message: "has to be 1 to 255 characters" },
  ]);
  assertEquals(problem.message, "messages.0.groupKey: has to be 1 to 255 characters");
});

Deno.test("a schedule's field that the database refuses is named as in the request", () => {
  for (
    const [refused, path] of [
      ["end_at: has to come after start_at", ["schedule", "endAt"]],
      ["catch_up_limit: is too large", ["schedule", "catchUpLimit"]],
      ["group_key: is too long", ["groupKey"]],
    ] as const
  ) {
    const error = new RangeError(refused);
    const problem = toScheduleProblem(error);
    assertInstanceOf(problem, Problem);
    const { status, issues } = problem as Problem;
    assertEquals([status, issues?.[0]?.path], [400, [...path]], refused);
  }
});
