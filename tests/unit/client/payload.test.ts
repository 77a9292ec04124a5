/** The client refuses payloads that JSON would change, before it sends them. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { createMessengerClient, message, MessengerError } from "../../../client/mod.ts";
import { exactJson } from "../../../client/json.ts";
import type { MessageDefinition } from "../../../supabase/functions/_shared/symphony/index.ts";
import { toJson } from "../../../supabase/functions/_shared/symphony/runtime/json.ts";
import { fakeSupabase } from "../../support/fake_supabase.ts";

const Any = message<MessageDefinition>("Any");

function client() {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"], scheduleId: "1" }));
  return { messenger: createMessengerClient(supabase), requests };
}

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const refused: [value: unknown][] = [
  [NaN],
  [Infinity],
  [2 ** 53],
  [1n],
  [new Map()],
  [new Date(NaN)],
  [() => {}],
  [[undefined]],
  [Symbol("x")],
  [{
    get broken() {
      throw new Error("no");
    },
  }],
];
for (const [value] of refused) {
  Deno.test(`the client refuses ${Deno.inspect(value)} in a payload with its path`, async () => {
    const { messenger, requests } = client();
    const payload = { list: [value] };
    const hourly = { type: "interval", config: { interval: "1h" } } as const;
    const calls: [() => Promise<unknown>, unknown[]][] = [
      [() => messenger.dispatch(Any, payload), []],
      [() => messenger.dispatchAll([{ message: Any, payload: 1 }, { message: Any, payload }]), [1]],
      [() => messenger.schedules.create(Any, payload, hourly), []],
    ];
    for (const [call, path] of calls) {
      const error = await assertRejects(call, MessengerError);
      assertEquals([error.code, error.detail, error.retryable], [
        "invalid",
        "invalid_payload",
        false,
      ]);
      assertEquals(error.issues[0]?.path.slice(0, path.length + 3), [
        ...path,
        "payload",
        "list",
        0,
      ]);
    }
    assertEquals(requests, []);
  });
}

Deno.test("a payload that holds itself, and an option that JSON cannot hold, are refused", async () => {
  const { messenger, requests } = client();
  for (
    const call of [
      () => messenger.dispatch("Any", cyclic),
      () => messenger.dispatch("Any", {}, { priority: 1n as unknown as number }),
      () => messenger.dispatch("Any", {}, { availableAt: new Date(NaN) }),
      () => messenger.schedules.update("1", { payload: 1n }),
    ]
  ) assertEquals((await assertRejects(call, MessengerError)).code, "invalid");
  assertEquals(requests, []);
});

Deno.test("the client sends what the server would store, and refuses nothing that the server takes", () => {
  const anything = fc.anything({
    ...{ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true },
    ...{ withNullPrototype: true, withSparseArray: true, withUnicodeString: true, maxDepth: 3 },
    maxKeys: 3,
  });
  const or = (act: () => unknown) => {
    try {
      return [act()];
    } catch {
      return "refused";
    }
  };
  let taken = 0;
  fc.assert(
    fc.property(anything, (value) => {
      const stored = or(() => toJson(value));
      if (stored !== "refused") {
        assertEquals([++taken, or(() => JSON.parse(exactJson(value)))], [taken, stored]);
      }
    }),
  );
  assertEquals(taken > 10, true);
});

Deno.test("what the client sends of a payload is its JSON", async () => {
  const { messenger, requests } = client();
  await messenger.dispatch(Any, { at: new Date(0), none: undefined });
  assertEquals(requests.map(({ body }) => body), [
    { type: "Any", payload: { at: "1970-01-01T00:00:00.000Z" } },
  ]);
});

Deno.test("an option of the client that is not known is refused by name", () => {
  const error = assertThrows(
    () => createMessengerClient(undefined as never, { retrys: 1 } as object),
    MessengerError,
    "retrys: no such option",
  );
  assertEquals([error.code, error.issues[0]?.path], ["invalid", ["retrys"]]);
});

Deno.test("the client calls the function by its name with the project's prefix", async () => {
  const { supabase, requests } = fakeSupabase(() => ({ ids: ["1"], next: null }));
  const messenger = createMessengerClient(supabase, { prefix: "bus-" });
  await messenger.dispatch(Any, {});
  await messenger.list({ limit: 5, cursor: undefined });
  assertEquals(requests.map(({ name }) => name), ["bus-dispatch", "bus-dispatch/messages?limit=5"]);
});

Deno.test("an id of a schedule is refused where a message is meant, and the other way round", async () => {
  const { messenger, requests } = client();
  const schedule = { kind: "schedule", id: "1" } as const;
  const wrong: [() => Promise<unknown>, string][] = [
    // @ts-expect-error it is a schedule
    [() => messenger.status(schedule), "message"],
    // @ts-expect-error it is a schedule
    [() => messenger.cancel(schedule), "message"],
    // @ts-expect-error it is a message
    [() => messenger.schedules.delete({ kind: "message", id: "1" }), "schedule"],
    [() => messenger.finished(7 as unknown as string), "message"],
  ];
  for (const [call, kind] of wrong) {
    const error = await assertRejects(call, MessengerError, `has to be the id of a ${kind}`);
    assertEquals(error.code, "invalid");
  }
  assertEquals(requests, []);
});
