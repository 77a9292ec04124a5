/** Idempotency keys over HTTPS. */

import { assertEquals } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

async function refusal(response: Response) {
  const body: { code: string; message: string; issues?: { path: unknown[] }[] } = await response
    .json();
  return [response.status, body.code, body.issues?.[0]?.path];
}

async function asUser(stack: TestStack, sub = crypto.randomUUID()) {
  const jwt = await stack.mintUserJwt({ sub });
  return { authorization: `Bearer ${jwt}`, apikey: stack.publishableKey };
}

testsOnStack({}, (test) => {
  test("an idempotency key returns the first id, also after the message is handled", async (stack) => {
    const message = { ...note, idempotencyKey: "order-1" };
    const [first] = await stack.dispatch(message);
    assertEquals(await stack.dispatch(message), [first]);
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals(await stack.dispatch([message, message]), [first, first]);
    assertEquals((await stack.tick()).messages.claimed, 0);
    assertEquals((await stack.effects()).length, 1);
  });

  test("an idempotency key is of its type, and under it other content is refused by its name", async (stack) => {
    const message = { ...note, idempotencyKey: "order-1", delay: "1m" };
    const [first] = await stack.dispatch(message);
    const [other] = await stack.dispatch({ ...message, type: "Secret" });
    assertEquals(first === other, false);
    const others = [
      { ...message, payload: { text: "bye" } },
      { ...message, delay: "2m" },
      { ...message, queue: "q" },
    ];
    for (const changed of others) {
      const expected = [409, "conflict", ["idempotencyKey"]];
      assertEquals(await refusal(await stack.post("dispatch", changed)), expected);
      const inArray = await stack.post("dispatch", [note, message, changed]);
      assertEquals(await refusal(inArray), [409, "conflict", [2, "idempotencyKey"]]);
    }
    const within = others.slice(0, 2).map((changed) => ({ ...changed, idempotencyKey: "new" }));
    assertEquals(await refusal(await stack.post("dispatch", within)), [409, "conflict", [
      1,
      "idempotencyKey",
    ]]);
    assertEquals(await stack.count(), 2);
  });

  test("many dispatches at once with one idempotency key write one message", async (stack) => {
    const message = { ...note, idempotencyKey: "storm" };
    const answers = await Promise.all(Array.from({ length: 20 }, () => stack.dispatch(message)));
    assertEquals(new Set(answers.flat()).size, 1);
    assertEquals((await stack.tick()).messages.handled, 1);
  });

  test("two users' equal idempotency keys are two keys", async (stack) => {
    const message = { ...note, idempotencyKey: "mine" };
    const answers = await Promise.all([
      stack.post("dispatch", message, await asUser(stack)),
      stack.post("dispatch", message, await asUser(stack)),
    ]);
    const ids = await Promise.all(answers.map(async (answer) => (await answer.json()).ids[0]));
    assertEquals(new Set(ids).size, 2);
  });

  test("a dedupe key replaces a user's own waiting message, and not another's", async (stack) => {
    const [user, other] = [await asUser(stack), await asUser(stack)];
    const save = (text: string) => ({ type: "Draft", payload: { text }, dedupeKey: "draft-7" });
    const send = async (text: string, headers: Record<string, string>) => {
      const { ids: [id] } = await (await stack.post("dispatch", save(text), headers)).json();
      return id;
    };
    const first = await send("a", user);
    assertEquals(await send("b", user), first);
    const theirs = await send("x", other);
    const [operators] = await stack.dispatch(save("o"));
    assertEquals(new Set([first, theirs, operators]).size, 3);
    const rows = await stack.sql`
      select id, payload ->> 'text' as text, available_at - created_at >= '30 s' as waits
      from public.messenger_messages order by id`;
    assertEquals(rows.map((row) => ({ ...row })), [
      { id: first, text: "b", waits: true },
      { id: theirs, text: "x", waits: true },
      { id: operators, text: "o", waits: true },
    ]);
  });

  test("a dedupe key is refused by its name where a caller may not give one", async (stack) => {
    const user = await asUser(stack);
    const keyed = { ...note, dedupeKey: "k" };
    const forbidden = [403, "forbidden", ["dedupeKey"]];
    assertEquals(await refusal(await stack.post("dispatch", keyed, user)), forbidden);
    const schedule = { type: "once", config: { at: new Date(Date.now() + 60_000) } };
    assertEquals(await refusal(await stack.post("dispatch", { ...keyed, schedule })), [
      400,
      "invalid_request",
      ["dedupeKey"],
    ]);
    const both = { ...keyed, idempotencyKey: "k" };
    assertEquals((await stack.post("dispatch", both)).status, 400);
    assertEquals(await stack.count(), 0);
  });
});
