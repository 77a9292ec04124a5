/** Calls that hold no content of a message: a refusal of the database ends no message. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { createClient } from "@supabase/supabase-js";
import {
  classifyError,
  defineMessage,
  type HandlerContext,
  TransportError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { webhookSecrets } from "../../../supabase/functions/_shared/symphony/database/webhook-calls.ts";
import { SupabaseTransport } from "../../../supabase/functions/_shared/symphony/transport/supabase.ts";
import type { Transport } from "../../../supabase/functions/_shared/symphony/transport/transport.ts";
import { overriding } from "../../support/changed_transport.ts";
import { define } from "../../support/definitions.ts";
import { workbench } from "../../support/worker.ts";

/** A project whose database refuses every call with this code. */
function refusing(code: string) {
  const body = { code, message: "refused", details: null, hint: null };
  const fetch = () => Promise.resolve(Response.json(body, { status: 400 }));
  return createClient("http://127.0.0.1:9", "sb_secret_unused", { global: { fetch } });
}

const lease = { id: "1", leaseToken: crypto.randomUUID() };
const calls: [string, (transport: Transport) => Promise<unknown>][] = [
  ["reserves ids", (transport) => transport.reserveIds(1)],
  ["loads steps", (transport) => transport.loadSteps([lease])],
  ["reads the results of a batch", (transport) => transport.batchResults("1")],
  [
    "reads events",
    (transport) =>
      transport.readEvents([{ ...lease, keys: ["e"], cursors: {}, since: new Date() }]),
  ],
];
for (const code of ["23505", "22P02", "P0001", "XX000"]) {
  for (const [what, call] of calls) {
    Deno.test(`a call that ${what} and is refused with ${code} is a passing fault`, async () => {
      const error = await assertRejects(
        () => call(new SupabaseTransport(refusing(code))),
        TransportError,
      );
      assertEquals([error.fault, error.retryable], ["passing", true]);
      assertEquals(classifyError(error, { now: new Date() }), {
        kind: "recoverable",
        countsAgainstLimit: true,
      });
    });
  }

  Deno.test(`a look-up of secrets that is refused with ${code} is a passing fault`, async () => {
    const error = await webhookSecrets(refusing(code), ["webhook_a"]).catch((error) => error);
    assertEquals(error.fault, "passing");
  });

  Deno.test(`what holds a message and is refused with ${code} is still the message's own failure`, async () => {
    const transport = new SupabaseTransport(refusing(code));
    const error = await transport.send([{ type: "T", payload: 1 }]).catch((error) => error);
    assertEquals(error.fault, "data");
  });
}

const handlers: [string, (ctx: HandlerContext) => Promise<unknown>][] = [
  ["dispatches", (ctx) => ctx.dispatch(Child, 1)],
  ["has a step", (ctx) => ctx.step("one", () => 1)],
];
const Child = defineMessage({ type: "Child", schema: z.unknown(), handler: () => {} });
for (const [what, work] of handlers) {
  Deno.test(`a message whose handler ${what} while ids and steps are refused is retried`, async () => {
    let isRefused = true;
    const other = new SupabaseTransport(refusing("23505"));
    const { bus, memory, work: run } = workbench([
      define(async (_, ctx) => void await work(ctx), { retry: { delay: 0 } }),
      Child,
    ], {
      wrap: (memory) => {
        const once =
          <Argument, Answer>(real: (one: Argument) => Answer, wrong: typeof real) =>
          (one: Argument) => {
            const refused = isRefused;
            isRefused = false;
            return refused ? wrong(one) : real(one);
          };
        return overriding(memory, {
          reserveIds: once((one) => memory.reserveIds(one), (one) => other.reserveIds(one)),
          loadSteps: once((one) => memory.loadSteps(one), (one) => other.loadSteps(one)),
        });
      },
    });
    await bus.dispatchAll([{ type: "T", payload: 1 }]);
    await run();
    assertEquals([memory.failed.length, memory.messages.length], [0, 0]);
    assertEquals(isRefused, false);
  });
}
