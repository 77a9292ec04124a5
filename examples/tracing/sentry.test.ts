/** The example with Sentry, against a receiver on this machine. */

import { assert, assertEquals } from "@std/assert";
import { createTestMessenger } from "../../supabase/functions/_shared/symphony/testing.ts";
import { startSentry } from "./sentry.ts";
import { Order, Receipt } from "./messages.ts";

Deno.test({
  name: "a handler is a transaction in Sentry, and its step a span of it",
  // Sentry keeps timers of its own as long as the process lives.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const envelopes: string[] = [];
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      async (request) => {
        envelopes.push(await new Response(request.body).text());
        return Response.json({});
      },
    );
    Deno.env.set("SENTRY_DSN", `http://key@127.0.0.1:${server.addr.port}/1`);
    Deno.env.set("SENTRY_SAMPLE_RATE", "1");
    try {
      const sentry = startSentry();
      const t = createTestMessenger({ messages: [Order, Receipt] });
      await t.dispatch(Order, { order: 7 });
      await t.drain();
      assert(await sentry?.flush());
    } finally {
      Deno.env.delete("SENTRY_DSN");
      Deno.env.delete("SENTRY_SAMPLE_RATE");
    }
    const text = envelopes.join("\n");
    assert(text.includes("process default"), text.slice(0, 2_000));
    assert(text.includes("step charge"), text.slice(0, 2_000));
  },
});

Deno.test("without a DSN nothing is registered", () => {
  assertEquals(startSentry(), null);
});
