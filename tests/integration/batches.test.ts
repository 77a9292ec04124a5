/** Batches over HTTPS, in the management API and by the command. */

import { assertEquals } from "@std/assert";
import { asStranger, asUser, refusal } from "../support/frontend.ts";
import { ask } from "../support/management.ts";
import { say } from "../support/cli.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

type Headers = Record<string, string>;

const note = (text: string) => ({ type: "Note", payload: { text } });
const batch = (more: object = {}) => ({
  name: "notes",
  messages: [note("one"), note("two")],
  onFinished: note("finished"),
  ...more,
});

const send = (stack: TestStack, method: string, id: string, headers: Headers) =>
  fetch(`${stack.url}/functions/v1/dispatch/batches/${id}`, { method, headers });

async function dispatched(stack: TestStack, body: object, headers?: Headers): Promise<string> {
  const response = await stack.post("dispatch/batches", body, headers);
  const { batchId, ...rest } = await response.json();
  assertEquals([response.status, rest], [202, { total: 2, sealed: true }]);
  return batchId;
}

async function stateOf(stack: TestStack, id: string, headers: Headers) {
  const response = await send(stack, "GET", id, headers);
  return [response.status, (await response.json()).status];
}

testsOnStack({}, (test) => {
  test("a batch is handled by a tick, and what it dispatches at its end by the next", async (stack) => {
    const secret = { apikey: stack.secretKey };
    const id = await dispatched(stack, batch());
    assertEquals(await stateOf(stack, id, secret), [200, "running"]);
    await stack.tick();
    await stack.tick();
    assertEquals(await stateOf(stack, id, secret), [200, "handled"]);
    const texts = (await stack.effects()).map(({ payload }) => (payload as { text: string }).text);
    assertEquals(texts.sort(), ["finished", "one", "two"]);
  });

  test("operators list its members with their states, a page at a time", async (stack) => {
    const id = await dispatched(
      stack,
      batch({ messages: [note("one"), { ...note("two"), delay: "1h" }] }),
    );
    await stack.tick();
    const list = (query: string) => ask(stack, "GET", `/batches/${id}/members?${query}`);
    const { body } = await list("");
    assertEquals(
      body.members.map(({ type, status }: Record<string, unknown>) => [type, status]),
      [[null, null], ["Note", "pending"]],
    );
    const first = await list("limit=1");
    const second = await list(`limit=1&cursor=${first.body.next}`);
    assertEquals([...first.body.members, ...second.body.members], body.members);
    await ask(stack, "POST", `/messages/${body.members[1].id}/cancel`);
    assertEquals((await list("status=cancelled")).body.members, [{
      id: body.members[1].id,
      type: "Note",
      status: "cancelled",
    }]);
    assertEquals((await list("status=failed")).body, { members: [], next: null });
    assertEquals((await ask(stack, "GET", "/batches/999/members")).status, 404);
    const env = { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: stack.secretKey };
    const said = await say(`batches members ${id} --status cancelled --json`, { env });
    assertEquals(JSON.parse(said.out).length, 1);
  });

  test("a request that is repeated under its key writes nothing further", async (stack) => {
    const body = batch({ idempotencyKey: "k", isLast: false });
    const answers = [];
    for (let n = 0; n < 2; n++) {
      answers.push(await (await stack.post("dispatch/batches", body)).json());
    }
    assertEquals(answers[0], answers[1]);
    const last = { ...batch({ idempotencyKey: "k", chunk: 2 }), messages: [note("three")] };
    const { total, sealed } = await (await stack.post("dispatch/batches", last)).json();
    assertEquals([total, sealed, await stack.count()], [3, true, 3]);
    const other = { ...last, messages: [note("four")] };
    assertEquals(await refusal(await stack.post("dispatch/batches", other)), [409, "conflict", [
      "idempotencyKey",
    ]]);
    const keyed = (text: string) => ({ ...note(text), idempotencyKey: "own" });
    await stack.dispatch(keyed("five"));
    const within = batch({ messages: [note("six"), keyed("seven")] });
    assertEquals(await refusal(await stack.post("dispatch/batches", within)), [409, "conflict", [
      ...["messages", 1, "idempotencyKey"],
    ]]);
  });

  test("users reach their own batches of what they may dispatch, and strangers none", async (stack) => {
    const [ada, bob] = [await asUser(stack), await asUser(stack)];
    const id = await dispatched(stack, batch(), ada);
    assertEquals(await stateOf(stack, id, ada), [200, "running"]);
    assertEquals((await stateOf(stack, id, bob))[0], 404);
    // Notes may not be cancelled by their users.
    const refused = await send(stack, "DELETE", id, ada);
    assertEquals((await refusal(refused))[0], 403);
    const choosy = { type: "Choosy", payload: {}, delay: "24h" };
    const own = await dispatched(stack, { name: "own", messages: [choosy, choosy] }, ada);
    const cancelled = await send(stack, "DELETE", own, ada);
    assertEquals([cancelled.status, (await cancelled.json()).status], [200, "cancelled"]);

    const secret = { type: "Secret", payload: { text: "x" } };
    for (const wrong of [{ messages: [secret] }, { onFailed: secret }]) {
      assertEquals(
        (await refusal(await stack.post("dispatch/batches", batch(wrong), ada)))[0],
        403,
      );
    }
    assertEquals(
      (await refusal(await stack.post("dispatch/batches", batch(), asStranger(stack))))[0],
      401,
    );
  });

  test("a wrong field is named, and nothing is written", async (stack) => {
    const wrong: [object, unknown[]][] = [
      [{ name: "" }, ["name"]],
      [{ messages: [note("one"), { type: "Note", payload: {} }] }, [
        "messages",
        1,
        "payload",
        "text",
      ]],
      [{ onFinished: { type: "Unknown", payload: 1 } }, ["onFinished", "type"]],
      [{ chunk: 2 }, ["idempotencyKey"]],
      [{ isLast: false }, ["idempotencyKey"]],
    ];
    for (const [more, path] of wrong) {
      const [status, , place] = await refusal(await stack.post("dispatch/batches", batch(more)));
      assertEquals([status, place], [400, path]);
    }
    assertEquals(await stack.count(), 0);
  });

  test("operators list, show and cancel batches, and the action log has the cancel", async (stack) => {
    const id = await dispatched(stack, batch());
    const { body: { batches } } = await ask(stack, "GET", "/batches?name=notes");
    assertEquals(batches.map((one: { id: string }) => one.id), [id]);
    assertEquals((await ask(stack, "GET", `/batches/${id}`)).body.pending, 2);
    assertEquals((await ask(stack, "GET", "/batches/999999")).status, 404);
    const env = { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: stack.secretKey };
    assertEquals(
      (await say(`batches cancel ${id} --dry-run`, { env })).out,
      "2 would be cancelled",
    );
    assertEquals((await say(`batches cancel ${id}`, { env })).out, "2 cancelled");
    assertEquals((await ask(stack, "GET", `/batches/${id}`)).body.status, "cancelled");
    const shown = await say(`batches show ${id} --json`, { env });
    assertEquals([shown.code, JSON.parse(shown.out).failed], [0, 2]);
    const [logged] = await stack.sql`
      select action, affected from public.messenger_actions order by id desc limit 1`;
    assertEquals([logged?.action, Number(logged?.affected)], ["cancel_batch", 2]);
  });
});
