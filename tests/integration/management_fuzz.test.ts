/**
 * Whatever is sent to the management API, it is answered as documented: never by an error of its own,
 * never with a stack or a secret, and what is refused has written nothing. The operations are those of
 * the OpenAPI document, so none is forgotten.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { contentOf } from "../support/content.ts";
import { addFailed, ask, clearManaged } from "../support/management.ts";
import { type Document, type Input, operationsOf } from "../support/openapi_inputs.ts";
import { assertPlainRefusal } from "../support/problems.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const RUNS = 5;
/** Most further runs of as many where none of the inputs was right. */
const MOST_FURTHER = 5;
const INPUTS = 34;

const document: Document = JSON.parse(
  await Deno.readTextFile(new URL("../../docs/openapi.json", import.meta.url)),
);
const operations = operationsOf(document);

/** Something for each kind of request to meet. */
async function fill(stack: TestStack): Promise<void> {
  await clearManaged(stack);
  await stack.tick();
  // One that may be deleted.
  await stack.sql`insert into public.messenger_queues (name) values ('z') on conflict do nothing`;
  await stack.sql`alter sequence public.messenger_messages_id_seq restart`;
  await stack.sql`truncate public.messenger_batches, messenger.batch_chunks, public.messenger_events
    restart identity`;
  await stack
    .sql`select public.messenger_emit('paid:' || n, '{"n":1}') from generate_series(1, 5) n`;
  await stack
    .sql`select public.messenger_create_webhook_endpoint(name, '{"url":"https://example.com/"}')
    from unnest('{default,mail,z}'::text[]) as name`;
  await stack
    .sql`select public.messenger_set_alert_channel(name, '{"kind":"message","message_type":"Note"}')
    from unnest(array['default', 'mail', 'z']) as name`;
  await stack.sql`select public.messenger_create_alert(name, 'oldest_ready')
    from unnest(array['default', 'mail', 'z']) as name`;
  await stack.sql`insert into messenger.transports (name, received)
    select name, true from unnest(array['default', 'mail', 'z']) as name`;
  // The last one arrived, so that the health check of deliveries passes.
  await stack.sql`insert into public.messenger_alert_deliveries (channel, event, body, status)
    select 'mail', 'firing', '{}', case when n % 2 = 1 then 'failed' else 'delivered' end
    from generate_series(1, 30) n`;
  const later = { type: "Note", payload: { text: "x" }, delay: "1h" };
  await stack.dispatch([later, { ...later, queue: "mail" }, { type: "Count", payload: { n: 1 } }]);
  for (let n = 0; n < 10; n++) await addFailed(stack, { queue: n % 2 ? "mail" : "default" });
  for (let n = 0; n < 5; n++) {
    const saved = await ask(stack, "POST", "/schedules", {
      type: "Note",
      payload: { text: "x" },
      schedule: { type: "cron", config: { cron: "@daily" }, name: `schedule ${n}` },
    });
    assertEquals(saved.status, 201, JSON.stringify(saved.body));
    await stack.post("dispatch/batches", { name: `batch ${n}`, messages: [later] });
  }
}

async function send(stack: TestStack, { method, path, body }: Input) {
  const response = await fetch(`${stack.url}/functions/v1/messenger${path}`, {
    method,
    headers: { apikey: stack.secretKey, "content-type": "application/json" },
    ...(body !== undefined && { body }),
  });
  return { status: response.status, text: await response.text() };
}

/** No answer holds what only the server may know. */
function assertTellsNothing(stack: TestStack, text: string): void {
  assert(!text.includes(stack.secretKey), "a secret key");
  assert(!/lease_?token/i.test(text), "the fence of a lease");
  assert(
    !/postgres(ql)?:\/\/|file:\/\/|node_modules|\n\s*at \S+ \(/.test(text),
    `a stack: ${text}`,
  );
}

testsOnStack({}, (test) => {
  for (const { id, statuses, inputs } of operations) {
    test(`${id} responds to any input as documented, and a refusal writes nothing`, async (stack) => {
      let accepted = 0;
      await fill(stack);
      const property = fc.asyncProperty(
        fc.array(inputs, { minLength: INPUTS, maxLength: INPUTS }),
        async (batch) => {
          const answers = await Promise.all(batch.map((input) => send(stack, input)));
          const refused = batch.filter((input, index) => {
            const { status, text } = answers[index] ?? { status: 0, text: "" };
            const told = `${JSON.stringify(input).slice(0, 500)}: ${status} ${text.slice(0, 500)}`;
            // The path may have come to mean another, such as that of the list.
            const isKnown = statuses.includes(status) || [404, 405].includes(status);
            if (status < 300) accepted++;
            const isOurFault = status >= 500 &&
              !(id === "getHealth" && text.includes("checks"));
            assert(isKnown && !isOurFault && status !== 401, told);
            assertTellsNothing(stack, text);
            if (status < 400) return false;
            if (id !== "getHealth" || status !== 503) {
              assertPlainRefusal(JSON.parse(text), told);
            }
            return true;
          });

          const before = await contentOf(stack);
          const again = await Promise.all(refused.map((input) => send(stack, input)));
          // Other requests of the batch may have changed the state so that one of them is right.
          if (again.every(({ status }) => status >= 400)) {
            assertEquals(await contentOf(stack), before);
          }
        },
      );
      for (let run = 0; run === 0 || (accepted === 0 && run <= MOST_FURTHER); run++) {
        await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
      }
      assert(accepted > 0, "nothing that was sent was right: the inputs test too little");
    });
  }
});
