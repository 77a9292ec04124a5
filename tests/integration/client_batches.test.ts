/** The client and the batches that its user owns. */

import { assertEquals, assertRejects } from "@std/assert";
import { createBatches, MessengerError } from "../../client/mod.ts";
import { signedIn, withKey } from "../support/client.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const code = async (act: () => Promise<unknown>) => (await assertRejects(act, MessengerError)).code;
const note = (text: string) => ({ type: "Note", payload: { text } });

async function user(stack: TestStack) {
  return createBatches((await signedIn(stack)).supabase);
}

testsOnStack({}, (test) => {
  test("a user's batch is followed to its end, and its report is dispatched", async (stack) => {
    const batches = await user(stack);
    const batch = await batches.create([note("one"), note("two")], {
      name: "notes",
      onSucceeded: note("done"),
    });
    assertEquals([batch.kind, batch.total], ["batch", 2]);
    assertEquals((await batches.get(batch)).status, "running");
    const end = batches.finished(batch);
    await stack.tick();
    await stack.tick();
    const { status, handled, failed } = await end;
    assertEquals([status, handled, failed], ["handled", 2, 0]);
    const texts = (await stack.effects()).map(({ payload }) => (payload as { text: string }).text);
    assertEquals(texts.sort(), ["done", "one", "two"]);
  });

  test("a batch of several requests is whole, and its repeat is the same batch", async (stack) => {
    const batches = await user(stack);
    const messages = Array.from({ length: 1_050 }, (_, n) => note(`${n}`));
    const { id, total, idempotencyKey } = await batches.create(messages, { name: "many" });
    assertEquals([total, await stack.count()], [1_050, 1_050]);
    const again = await batches.create(messages, { name: "many", idempotencyKey });
    assertEquals([again.id, again.total, await stack.count()], [id, 1_050, 1_050]);
    const other = [...messages.slice(1), note("other")];
    assertEquals(
      await code(() => batches.create(other, { name: "many", idempotencyKey })),
      "conflict",
    );
    const wrong = [...messages, { type: "Note", payload: { text: 7 } }];
    const error = await assertRejects(() => batches.create(wrong, { name: "x" }), MessengerError);
    assertEquals(error.issues[0]?.path, ["messages", 1_050, "payload", "text"]);
    assertEquals(error.message.startsWith("messages.1050.payload.text: "), true, error.message);
  });

  test("users list and cancel their own batches, and reach no others", async (stack) => {
    const [ann, bob] = [await user(stack), await user(stack)];
    const choosy = { type: "Choosy", payload: {}, delay: "1h" } as const;
    const ids: string[] = [];
    for (const name of ["a", "b", "c"]) ids.unshift((await ann.create([choosy], { name })).id);
    const theirs = await bob.create([note("x")], { name: "bob's" });

    const first = await ann.list({ limit: 2 });
    const second = await ann.list({ limit: 2, cursor: first.next ?? "" });
    assertEquals([...first.batches, ...second.batches].map(({ id }) => id), ids);
    assertEquals([first.next, second.next], [ids[1], null]);
    assertEquals(await code(() => ann.list({ limit: 101 })), "invalid");

    assertEquals((await ann.cancel(ids[0] ?? "")).status, "cancelled");
    assertEquals((await ann.cancel(ids[0] ?? "")).status, "cancelled");
    assertEquals(await code(() => bob.cancel(theirs)), "forbidden");
    for (const act of [ann.get, ann.cancel, ann.finished]) {
      assertEquals(await code(() => act(theirs)), "not_found");
    }
    const visitor = createBatches(withKey(stack).supabase);
    assertEquals(await code(() => visitor.create([note("x")], { name: "x" })), "signed_out");
    assertEquals(await code(() => visitor.list()), "signed_out");
  });
});
