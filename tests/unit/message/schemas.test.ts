/** Schemas of users that fail, or never settle, wherever one is parsed: the call ends with an error of its own. */

import { assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import { MessageBus } from "../../../supabase/functions/_shared/symphony/bus/bus.ts";
import { Events } from "../../../supabase/functions/_shared/symphony/bus/events.ts";
import { webhookApp } from "../../../supabase/functions/_shared/symphony/http/webhook-app.ts";
import {
  defineEvent,
  defineMessage,
  DispatchTimeoutError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { createMessenger } from "../../../supabase/functions/_shared/symphony/messenger.ts";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { checkScheduled } from "../../../supabase/functions/_shared/symphony/scheduler/check-scheduled.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { trouble } from "../../support/trouble.ts";
import { defineOnce, never } from "../../support/definitions.ts";

const Plain = defineMessage({ type: "Plain", schema: z.unknown(), handler: () => {} });

/** A bus with a message and an event of this schema. */
function busWith(schema: z.ZodType) {
  const Asked = defineMessage({ type: "Asked", schema, handler: () => {} });
  const transport = new InMemoryTransport();
  const registry = createRegistry([Plain, Asked]);
  const events = new Events({ transport, events: [defineEvent({ name: "asked", schema })] });
  return { bus: new MessageBus({ registry, transport, events }), Asked };
}

type Parts = ReturnType<typeof busWith>;

const asked = { type: "Asked", payload: 1 };
const hourly = { type: "cron", config: { cron: "0 * * * *" } } as const;

/** Each call that parses by a schema of a user's. */
const calls: [call: string, run: (parts: Parts) => Promise<unknown>][] = [
  ["a dispatch", ({ bus, Asked }) => bus.dispatch(Asked, 1)],
  [
    "a message that a cancel dispatches",
    ({ bus }) => bus.dispatch(Plain, 1, { onCancelled: asked }),
  ],
  [
    "a member of a batch",
    ({ bus, Asked }) => bus.dispatchBatch([{ definition: Asked, payload: 1 }], { name: "b" }),
  ],
  [
    "a message that a batch's end dispatches",
    ({ bus }) => bus.dispatchBatch([], { name: "b", onFinished: asked }),
  ],
  ["an emit", ({ bus }) => bus.events.emit("asked:1", 1)],
  ["a schedule", ({ bus }) => checkScheduled(bus, asked, hourly)],
];

for (const [call, run] of calls) {
  Deno.test(`${call} ends with the error of a schema whose promise rejects`, async () => {
    const schema = z.unknown().refine(() => Promise.reject(new Error("the lookup is away")));
    await assertRejects(() => run(busWith(schema)), Error, "the lookup is away");
  });
}

Deno.test("each call ends after a bound if its schema never settles", async () => {
  const schema = z.unknown().refine(() => never);
  await Promise.all(calls.map(([call, run]) =>
    assertRejects(
      () => run(busWith(schema)),
      DispatchTimeoutError,
      "schema: took longer than",
      call,
    )
  ));
});

Deno.test("a webhook whose schema's promise rejects gets an error, so that its sender repeats it", async () => {
  const schema = z.unknown().refine(() => Promise.reject(new Error("the lookup is away")));
  const Asked = defineMessage({ type: "Asked", schema, handler: () => {} });
  const messenger = createMessenger({
    supabase: createClient("http://127.0.0.1:9", "sb_secret_unused"),
    messages: [Asked],
    transport: new InMemoryTransport(),
    config: readConfig(() => undefined, {}),
    log: createLogger({ level: "silent" }),
  });
  const app = webhookApp(messenger, {
    verify: () => ({ id: "1", type: "asked", sentAt: null }),
    source: "test",
    message: Asked,
  });
  const request = new Request("https://x.example/functions/v1/hook", { method: "POST", body: "1" });
  assertEquals((await app.fetch(request)).status, 500);
});

Deno.test("a result whose schema fails, or never settles, is a failure of the attempt", async () => {
  const keep = { keep: { for: "1h", result: true }, stopGrace: 0, timeout: "50ms" } as const;
  const failing = z.unknown().refine(() => Promise.reject(new Error("the lookup is away")));
  for (
    const [result, error] of [
      [failing, "the lookup is away"],
      [z.unknown().refine(() => never), "the handler took longer than its timeout of 50 ms"],
    ] as const
  ) {
    const { reason, errors } = await trouble(defineOnce(() => 1, { ...keep, result }));
    assertEquals([reason, errors[0]?.message], ["exhausted", error]);
  }
});
