/** Classification of failed calls by code: passing faults, one message's fault, and refusals. */

import { assertEquals } from "@std/assert";
import {
  faultOf,
  isWrittenByPostgrest,
} from "../../../supabase/functions/_shared/symphony/database/fault.ts";

const cases: readonly [code: string, message: string, fault: string][] = [
  ["", "<html>Bad gateway</html>", "passing"],
  ["503", "no Route matched", "passing"],
  ["PGRST000", "no connection", "passing"],
  ["PGRST001", "no connection", "passing"],
  ["PGRST002", "no schema cache", "passing"],
  ["PGRST003", "no free connection", "passing"],
  ["PGRST202", "Could not find the function public.messenger_settle", "passing"],
  ["PGRST204", "Could not find the column", "passing"],
  ["PGRST205", "Could not find the table", "passing"],
  ["42883", "function public.messenger_settle(jsonb) does not exist", "passing"],
  ["42P01", 'relation "messenger.leases" does not exist', "passing"],
  ["42704", 'type "messenger.open_queue" does not exist', "passing"],
  ["42846", "cannot cast type record to messenger.open_queue", "passing"],
  ["42846", "cannot cast type point to integer", "data"],
  ["42883", "function audit() does not exist", "data"],
  ["0A000", "cached plan must not change result type", "passing"],
  ["0A000", "type names cannot be mentioned here", "data"],
  ["08006", "connection failure", "passing"],
  ["25006", "cannot execute UPDATE in a read-only transaction", "passing"],
  ["26000", 'prepared statement "1" does not exist', "passing"],
  ["53300", "too many connections", "passing"],
  ["57P01", "terminating connection", "passing"],
  ["40P01", "deadlock detected", "passing"],
  ["55P03", "lock not available", "passing"],
  ["PT503", "cancel: other sessions hold the messages locked", "passing"],
  ["57014", "canceling statement due to statement timeout", "too_much"],
  ["53200", "out of memory", "too_much"],
  ["22P02", "invalid input syntax for type bigint", "data"],
  ["22003", "integer out of range", "data"],
  ["23514", "violates check constraint", "data"],
  ["54000", "array size exceeds the maximum allowed", "data"],
  ["XX000", "missing chunk number 0 for toast value", "data"],
  ["P0001", "raised by a trigger", "data"],
  ["PT409", "read committed only", "data"],
  ["PT500", "raised by a user's trigger", "data"],
  ["PT501", "raised by a user's trigger", "data"],
  ["PT502", "raised by a user's trigger", "passing"],
  ["PT504", "raised by a user's trigger", "passing"],
  ["45000", "raised by a user's trigger", "data"],
  ["ABCDE", "raised by a user's trigger", "data"],
  ["55000", "lastval is not yet defined in this session", "data"],
  ["25P04", "terminating connection due to transaction timeout", "too_much"],
  ["HV00N", "unable to establish connection", "passing"],
  ["28000", "role does not exist", "refused"],
  ["42501", "permission denied for function messenger_settle", "refused"],
  ["PGRST301", "JWT could not be decoded", "refused"],
  ["PGRST102", "the body is no JSON", "refused"],
];

for (const [code, message, fault] of cases) {
  Deno.test(`${code || "no code"} (${message}) is ${fault}`, () => {
    assertEquals(faultOf({ code, message }), fault);
  });
}

Deno.test("only what bears a code of Postgres or PostgREST was written by PostgREST", () => {
  assertEquals(
    [{ code: "42883" }, { code: "PGRST202" }, { code: 503 }, { code: "WORKER_LIMIT" }, {}, [], null]
      .map(isWrittenByPostgrest),
    [true, true, false, false, false, false, false],
  );
});
