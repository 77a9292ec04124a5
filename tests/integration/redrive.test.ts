/** Redriving from code: an edited payload is checked before anything is changed. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  InvalidPayloadError,
  redrive,
  UnknownMessageTypeError,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { messages } from "../support/messages/mod.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { workbench } from "../support/worker.ts";

const { bus } = workbench(messages);

async function failed(stack: TestStack, type: string): Promise<string> {
  const [row] = await stack.sql<{ id: string }[]>`
    insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at)
    values (nextval('public.messenger_messages_id_seq'), ${type}, '{"text":5}', 'default', 'invalid', now())
    returning id::text`;
  return row?.id ?? "";
}

testsOnStack({}, (test) => {
  test("a dead letter whose payload was put right is handled", async (stack) => {
    const id = await failed(stack, "Note");
    const result = await redrive(stack.client, bus, { ids: [id], payload: { text: "right" } });
    assertEquals([result.matched, result.done, result.next], [1, 1, null]);
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals((await stack.effects()).map(({ payload }) => payload), [{ text: "right" }]);
  });

  test("an edited payload that does not fit is refused, and the dead letter stays", async (stack) => {
    const id = await failed(stack, "Note");
    await assertRejects(
      () => redrive(stack.client, bus, { ids: [id], payload: { text: 6 } }),
      InvalidPayloadError,
      "text",
    );
    const gone = await failed(stack, "Gone");
    await assertRejects(
      () => redrive(stack.client, bus, { ids: [gone], payload: {} }),
      UnknownMessageTypeError,
    );
    const rows = await stack.sql`select from public.messenger_failed_messages`;
    assertEquals(rows.length, 2);
  });

  test("an edited payload goes with one message, that has to be there", async (stack) => {
    const payload = { text: "x" };
    for (const options of [{ payload }, { ids: ["1", "2"], payload }]) {
      await assertRejects(
        () => redrive(stack.client, bus, options),
        RangeError,
        "payload: an edited",
      );
    }
    await assertRejects(
      () => redrive(stack.client, bus, { ids: ["999999"], payload }),
      RangeError,
      "no dead letter 999999",
    );
  });

  test("a filter is passed on, and its errors name the field", async (stack) => {
    await failed(stack, "Note");
    await failed(stack, "Count");
    const dry = await redrive(stack.client, bus, { type: "Note", dryRun: true });
    assertEquals([dry.matched, dry.done], [1, 0]);
    await assertRejects(
      () => redrive(stack.client, bus, { type: "Note", perSecond: 0 }),
      RangeError,
      "per_second",
    );
    const redriven = await redrive(stack.client, bus, { failedUntil: new Date(), toQueue: "slow" });
    assertEquals([redriven.matched, redriven.done], [2, 2]);
    const queues = await stack.sql`select distinct queue from public.messenger_messages`;
    assertEquals(queues.map(({ queue }) => queue), ["slow"]);
  });
});
