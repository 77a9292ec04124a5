/** The client refuses payloads that JSON would change, before it sends them. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createMessengerClient, InvalidRequestError, message } from "../../../client/mod.ts";
import type { MessageDefinition } from "../../../supabase/functions/_shared/symphony/index.ts";

const Any = message<MessageDefinition>("Any");

function client() {
  const sent: unknown[] = [];
  const supabase = {
    auth: { getSession: () => Promise.resolve({ data: { session: null } }) },
    functions: {
      invoke: (_: string, { body }: { body: string }) => {
        sent.push(JSON.parse(body));
        return Promise.resolve({ data: { ids: ["1"], scheduleId: "1" }, error: null });
      },
    },
  } as unknown as Parameters<typeof createMessengerClient>[0];
  return { messenger: createMessengerClient(supabase), sent };
}

const refused: unknown[] = [
  NaN,
  Infinity,
  2 ** 53,
  1n,
  new Map(),
  new Date(NaN),
  () => {},
  "\ud800",
];
for (const value of refused) {
  Deno.test(`the client refuses ${Deno.inspect(value)} in a payload with its path`, async () => {
    const { messenger, sent } = client();
    const payload = { list: [value] };
    const hourly = { type: "interval", config: { interval: "1h" } } as const;
    const calls: [() => Promise<unknown>, unknown[]][] = [
      [() => messenger.dispatch(Any, payload), []],
      [() => messenger.dispatchAll([{ message: Any, payload: 1 }, { message: Any, payload }]), [1]],
      [() => messenger.schedule(Any, payload, hourly), []],
    ];
    for (const [call, path] of calls) {
      const error = await assertRejects(call, InvalidRequestError);
      assertEquals([error.code, error.retryable], ["invalid_payload", false]);
      assertEquals(error.issues[0]?.path, [...path, "payload", "list", 0]);
    }
    assertEquals(sent, []);
  });
}

Deno.test("what the client sends of a payload is its JSON", async () => {
  const { messenger, sent } = client();
  await messenger.dispatch(Any, { at: new Date(0), none: undefined });
  assertEquals(sent, [{ type: "Any", payload: { at: "1970-01-01T00:00:00.000Z" } }]);
});

Deno.test("an option of the client that is not known is refused by name", () => {
  assertThrows(
    () => createMessengerClient(undefined as never, { retrys: 1 } as object),
    RangeError,
    "retrys: no such option; did you mean retries?",
  );
});

Deno.test("the client calls the function by its name with the project's prefix", async () => {
  const called: string[] = [];
  const supabase = {
    auth: { getSession: () => Promise.resolve({ data: { session: null } }) },
    functions: {
      invoke: (path: string) => {
        called.push(path);
        return Promise.resolve({ data: { ids: ["1"] }, error: null });
      },
    },
  } as unknown as Parameters<typeof createMessengerClient>[0];
  const messenger = createMessengerClient(supabase, { prefix: "bus-" });
  await messenger.dispatch(Any, {});
  await messenger.status("7");
  assertEquals(called, ["bus-dispatch", "bus-dispatch/7"]);
});
