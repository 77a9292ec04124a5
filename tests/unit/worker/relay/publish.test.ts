/** A batch of the outbox is published in waves, and each fate is told. */

import { assert, assertEquals } from "@std/assert";
import type { Publication } from "../../../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import type {
  EngineMessage,
  Published,
} from "../../../../supabase/functions/_shared/symphony/transport/engine.ts";
import {
  publishBatch,
  toEngine,
  wavesOf,
} from "../../../../supabase/functions/_shared/symphony/worker/relay/publish.ts";
import { isStorable } from "../../../../supabase/functions/_shared/symphony/runtime/json.ts";

const ORIGIN = "00000000-0000-4000-8000-000000000001";

function row(position: string, groupKey?: string, more: Partial<Publication> = {}): Publication {
  return {
    ...{ position, id: position, publication: 1, type: "T", payload: {}, queue: "default" },
    ...{ priority: 0, createdAt: "2026-01-01T00:00:00+00:00" },
    ...{ availableAt: "2026-01-01T00:00:00+00:00", retryCount: 0, attempts: 0 },
    ...{ snoozes: 0, interruptions: 0, stamps: null, errors: null },
    ...(groupKey !== undefined && { groupKey }),
    ...more,
  };
}

/** An engine with a fate for each id; confirmed by default. */
function engine(fates: Record<string, Published> = {}) {
  const calls: string[][] = [];
  const publish = (messages: readonly EngineMessage[]) => {
    calls.push(messages.map(({ id }) => id));
    return Promise.resolve(messages.map(({ id }) => fates[id] ?? { kind: "confirmed" as const }));
  };
  return { calls, publish };
}

const always = () => true;
const lost: Published = { kind: "unknown", error: new Error("connection lost") };
const refused: Published = { kind: "refused", error: new Error("no such queue") };

Deno.test("a wave has one message of each group, and the first one all without a group", () => {
  const batch = [row("1", "a"), row("2"), row("3", "a"), row("4", "b"), row("5"), row("6", "a")];
  assertEquals(wavesOf(batch).map((wave) => wave.map(({ id }) => id)), [
    ["1", "2", "4", "5"],
    ["3"],
    ["6"],
  ]);
});

Deno.test("groups of two queues with one key are two groups", () => {
  const other = row("2", "a", { queue: "mail" });
  assertEquals(wavesOf([row("1", "a"), other]).length, 1);
});

Deno.test("the rest of a group is left after its first failure, and other groups are sent", async () => {
  const batch = [row("1", "a"), row("2", "b"), row("3", "a"), row("4", "b")];
  const broker = engine({ "1": { ...refused, tooLarge: true } });
  const report = await publishBatch(broker, batch, ORIGIN, always);
  assertEquals(broker.calls, [["1", "2"], ["4"]]);
  assertEquals(report, {
    sent: ["2", "4"],
    refused: [{ position: "1", error: "no such queue", tooLarge: true }],
    failure: null,
  });
});

Deno.test("a lost connection ends the batch, and what was confirmed before it is told", async () => {
  const batch = [row("1"), row("2", "a"), row("3", "a")];
  const report = await publishBatch(engine({ "2": lost }), batch, ORIGIN, always);
  assertEquals(report, { sent: ["1"], refused: [], failure: "connection lost" });
});

Deno.test("an engine that throws, or tells too few fates, is away", async () => {
  const throws = { publish: () => Promise.reject(new Error("connection refused")) };
  const nothing = { sent: [], refused: [] };
  assertEquals(await publishBatch(throws, [row("1")], ORIGIN, always), {
    ...nothing,
    failure: "connection refused",
  });
  const tellsNone = { publish: () => Promise.resolve([]) };
  assertEquals(await publishBatch(tellsNone, [row("1")], ORIGIN, always), {
    ...nothing,
    failure: "the engine told too few fates",
  });
});

Deno.test("whatever an engine throws or tells is a text that the database can keep", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const odd: unknown[] = ["a\0b", "a\ud83d", Object.create(null), proxy, Symbol("s")];
  odd.push({ message: "a\0b" }, { message: 7 }, new Error("a\0" + "\u{1f600}".repeat(2_000)));
  for (const error of odd) {
    const fate = { kind: "refused", error } as const;
    const told = [
      (await publishBatch(engine({ "1": fate }), [row("1")], ORIGIN, always)).refused[0]?.error,
      (await publishBatch({ publish: () => Promise.reject(error) }, [row("1")], ORIGIN, always))
        .failure,
      (await publishBatch(engine({ "1": { kind: "unknown", error } }), [row("1")], ORIGIN, always))
        .failure,
    ];
    for (const text of told) {
      assert(typeof text === "string" && text !== "" && isStorable(text) && text.length <= 2_000);
    }
  }
});

Deno.test("no wave begins once the relay may not start one", async () => {
  const broker = engine();
  let waves = 0;
  await publishBatch(broker, [row("1", "a"), row("2", "a")], ORIGIN, () => waves++ === 0);
  assertEquals(broker.calls, [["1"]]);
});

Deno.test("a body has what differs from the defaults", () => {
  assertEquals(JSON.parse(toEngine(row("1"), ORIGIN).body), {
    origin: ORIGIN,
    payload: {},
    createdAt: "2026-01-01T00:00:00+00:00",
  });
  const more = { retryCount: 1, attempts: 2, repeated: true, stamps: { a: 1 } } as const;
  const message = toEngine(row("1", "g", more), ORIGIN);
  assertEquals(message.bytes, message.body.length);
  assertEquals(JSON.parse(message.body).groupKey, "g");
  assertEquals(JSON.parse(message.body).repeated, true);
});
