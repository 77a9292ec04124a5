/** Transports with `outbox: false`: what goes to the engine directly, and what goes through home all the same. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessenger,
  type MessageInput,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { unusedSupabase } from "../../../supabase/functions/_shared/symphony/testing/unused-supabase.ts";
import { readBody } from "../../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import type {
  EngineMessage,
  Published,
} from "../../../supabase/functions/_shared/symphony/transport/engine.ts";
import { define } from "../../support/definitions.ts";
import { recorded } from "../../support/recorded_engine.ts";

function setup(fate?: (message: EngineMessage) => Published) {
  const engine = recorded({ outbox: false }, fate);
  const memory = new InMemoryTransport();
  const { bus } = createMessenger({
    supabase: unusedSupabase(),
    messages: [define(() => {}), define(() => {}, { type: "Home" })],
    transport: memory,
    transports: { eu: engine },
    routing: { T: "eu" },
    tokenSecrets: [],
  });
  return { bus, engine, memory };
}

Deno.test("a message goes to the engine with an id of home, and leaves no row", async () => {
  const { bus, engine, memory } = setup();
  const { installation } = await memory.loadSteps([]);
  const ids = await bus.dispatchAll([
    { type: "T", payload: { n: 1 }, options: { priority: 3, groupKey: "g", ttl: "1h" } },
    { type: "T", payload: null, options: { queue: "mail", stamps: { mine: 1 } } },
  ]);
  assertEquals(memory.sent, []);
  const told = engine.published.map(({ body, bytes, ...message }) => {
    const { createdAt, expiresAt, ...read } = readBody(body);
    assertEquals(read.origin, installation);
    assertEquals(bytes, new TextEncoder().encode(body).length);
    const livesMs = expiresAt === null ? null : Date.parse(expiresAt) - Date.parse(createdAt);
    return { ...message, payload: read.payload, stamps: read.stamps, livesMs };
  });
  const first = { publication: 1, type: "T" };
  assertEquals(told, [
    {
      ...{ id: ids[0] ?? "", ...first, queue: "default", priority: 3, groupKey: "g" },
      ...{ payload: { n: 1 }, stamps: {}, livesMs: 3_600_000 },
    },
    {
      ...{ id: ids[1] ?? "", ...first, queue: "mail", priority: 0, groupKey: null },
      ...{ payload: null, stamps: { mine: 1 }, livesMs: null },
    },
  ]);
});

const throughHome: [string, MessageInput["options"]][] = [
  ["waits", { delay: "1s" }],
  ["is due at a moment", { availableAt: new Date(2100, 0) }],
  ["has an idempotency key", { idempotencyKey: "k" }],
  ["has a dedupe key", { dedupeKey: "k" }],
];
for (const [what, options = {}] of throughHome) {
  Deno.test(`a message that ${what} is written to home, which keeps all that waits`, async () => {
    const { bus, engine, memory } = setup();
    await bus.dispatchAll([{ type: "T", payload: 1, options }]);
    assertEquals(engine.published, []);
    assertEquals(memory.sent.map(({ transport }) => transport), ["eu"]);
  });
}

Deno.test("a call that also has messages of home is written there, all or none", async () => {
  const { bus, engine, memory } = setup();
  await bus.dispatchAll(["T", "Home"].map((type) => ({ type, payload: 1 })));
  assertEquals(engine.published, []);
  assertEquals(memory.sent.map(({ transport }) => transport), ["eu", "home"]);
});

Deno.test("a dispatch that the engine does not confirm fails, and says whether it may be repeated", async () => {
  const fates: [Published, boolean | "RangeError", string][] = [
    [{ kind: "unknown", error: new Error("cut") }, true, "did not confirm 1 of 1 messages: cut"],
    [{ kind: "refused", error: new Error("no queue") }, false, "refused 1 of 1 messages: no queue"],
    [{ kind: "refused", error: "big", tooLarge: true }, "RangeError", "payload: is too large"],
  ];
  for (const [fate, retryable, message] of fates) {
    const { bus } = setup(() => fate);
    const dispatch = () => bus.dispatchAll([{ type: "T", payload: 1 }]);
    if (retryable === "RangeError") await assertRejects(dispatch, RangeError, message);
    else {
      const error = await assertRejects(dispatch, TransportError, `send: eu: ${message}`);
      assertEquals(error.retryable, retryable);
    }
  }
});

Deno.test("an engine that throws, or tells too few fates, makes the dispatch fail", async () => {
  for (
    const [publish, message] of [
      [() => Promise.reject(new Error("refused to connect")), "eu: refused to connect"],
      [() => Promise.resolve([]), "eu: told too few fates"],
    ] as const
  ) {
    const { bus, engine } = setup();
    Object.assign(engine, { publish });
    const dispatch = () => bus.dispatchAll([{ type: "T", payload: 1 }]);
    const error = await assertRejects(dispatch, TransportError, message);
    assertEquals(error.retryable, true);
  }
});
