/** How many bytes a worker's claims may bring, beside what it holds. */

import { assertEquals } from "@std/assert";
import type { ClaimRequest } from "../../../../supabase/functions/_shared/symphony/transport/receiver.ts";
import { HeldBytes } from "../../../../supabase/functions/_shared/symphony/worker/claim/held-bytes.ts";
import { defineMessage } from "../../../../supabase/functions/_shared/symphony/index.ts";
import { workbench } from "../../../support/worker.ts";
import { z } from "zod";

const asking = (maxBytes: number): ClaimRequest => ({
  token: crypto.randomUUID(),
  maxMessages: 10,
  leaseMs: 60_000,
  maxBytes,
});

Deno.test("a claim asks for a quarter of what may be held, and less beside what is held", () => {
  const bytes = new HeldBytes(1_000);
  assertEquals(bytes.room, 250);
  bytes.add([{ bytes: 400 }, { bytes: 450 }, {}]);
  assertEquals(bytes.room, 150);
  bytes.add([{ bytes: 100 }]);
  assertEquals(bytes.room, 0);
});

Deno.test("a claim asks for whole bytes, whatever the messages' sizes are", () => {
  const bytes = new HeldBytes(1_000);
  bytes.add([{ bytes: 2_500 / 3 }]);
  assertEquals(bytes.room, 166);
});

Deno.test("what claims under way may bring counts until they are answered", () => {
  const bytes = new HeldBytes(1_000);
  const requests = [asking(250), asking(250), asking(250), asking(250)];
  requests.forEach((request) => bytes.asked(request));
  assertEquals(bytes.room, 0);
  requests.forEach((request) => bytes.answered(request, []));
  assertEquals(bytes.room, 250);
});

Deno.test("a message that is settled, or whose lease another worker has, makes room", () => {
  const bytes = new HeldBytes(1_000);
  const envelopes = [{ bytes: 500 }, { bytes: 500 }];
  bytes.add(envelopes);
  bytes.answered(null, [{ envelope: envelopes[0] ?? {} }]);
  assertEquals(bytes.room, 250);
  bytes.remove(envelopes.slice(1));
  assertEquals(bytes.room, 250);
});

Deno.test("a worker holds no more bytes than it may, and handles all that is due", async () => {
  const large = "x".repeat(1_000);
  let most = 0;
  const message = defineMessage({
    type: "Large",
    schema: z.string(),
    handler: () => {
      most = Math.max(most, memory.messages.filter(({ leaseToken }) => leaseToken !== "").length);
    },
  });
  const { memory, work } = workbench([message]);
  await memory.send(Array.from({ length: 100 }, () => ({ type: "Large", payload: large })));
  const report = await work({ batchSize: 100, maxBytes: 10_000 });
  assertEquals([report.handled, most <= 10], [100, true]);
});
