/** Following a message over HTTPS: its dispatcher learns its state, and no other caller does. */

import { assertEquals, assertMatch } from "@std/assert";
import type { FollowedMessage } from "../../supabase/functions/_shared/symphony/message/followed-message.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";
import { ask } from "../support/management.ts";
import { asStranger, asUser } from "../support/frontend.ts";

type Headers = Record<string, string>;

async function dispatch(stack: TestStack, message: unknown, headers: Headers): Promise<string> {
  const { ids } = await (await stack.post("dispatch", message, headers)).json();
  return ids[0];
}

const get = (stack: TestStack, id: string, headers: Headers) =>
  fetch(`${stack.url}/functions/v1/dispatch/${id}`, { headers });

async function follow(stack: TestStack, id: string, headers: Headers): Promise<FollowedMessage> {
  const response = await get(stack, id, headers);
  assertEquals(response.status, 200);
  return await response.json();
}

async function release(stack: TestStack): Promise<void> {
  await stack.sql`
    insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
}

testsOnStack({}, (test) => {
  test("a user follows a message from the dispatch to the end, with its progress", async (stack) => {
    const user = await asUser(stack);
    const id = await dispatch(stack, { type: "Kept", payload: {} }, user);
    const first = await follow(stack, id, user);
    assertEquals({ ...first, createdAt: "", availableAt: "" }, {
      kind: "message",
      id,
      type: "Kept",
      status: "pending",
      cancelling: false,
      reason: null,
      attempt: 0,
      createdAt: "",
      availableAt: "",
      finishedAt: null,
      progress: null,
    });
    assertMatch(first.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/);

    const ticked = stack.tick();
    const running = await eventually(
      () => follow(stack, id, user),
      ({ progress }) => progress !== null,
    );
    assertEquals([running.status, running.attempt, running.progress?.value], [
      "processing",
      1,
      0.4,
    ]);
    assertEquals(running.progress?.note, "halfway, nearly");

    await release(stack);
    assertEquals((await ticked).messages.handled, 1);
    const done = await follow(stack, id, user);
    assertEquals([done.status, done.attempt, done.progress], ["handled", 1, null]);
    assertEquals(Date.parse(done.finishedAt ?? "") >= Date.parse(done.createdAt), true);
    const [kept] = await stack.sql`
      select user_id, keep_until - handled_at = '1 hour' as hour from public.messenger_handled_messages`;
    assertEquals(kept?.hour, true);
    assertEquals((await stack.sql`select from messenger.progress`).length, 0);
  });

  test("a user and operators see the step that runs, and nothing of it is left behind", async (stack) => {
    const user = await asUser(stack);
    const id = await dispatch(stack, { type: "Kept", payload: { step: "charge" } }, user);
    const ticked = stack.tick();
    const running = await eventually(() => follow(stack, id, user), ({ steps }) => !!steps);
    assertEquals(running.status, "processing");
    assertEquals(running.steps, {
      current: { name: "charge", kind: "step", until: null },
      ...{ done: [], number: 0 },
    });
    assertEquals(running.progress?.note, "halfway, nearly");
    const { body } = await ask(stack, "GET", `/messages/${id}`);
    const { createdAt, ...shown } = body.steps[0];
    assertEquals(shown, {
      ...{ handler: "handler", name: "charge", key: "", nth: 1, kind: "step", status: "running" },
      ...{ until: null, error: null, waitsFor: null, resultBytes: 0 },
    });
    assertEquals(Date.parse(createdAt) >= Date.parse(running.createdAt), true);
    await release(stack);
    assertEquals((await ticked).messages.handled, 1);
    assertEquals((await stack.sql`select from messenger.progress`).length, 0);
  });

  test("a message that failed says so with the reason, and never with its error", async (stack) => {
    const user = await asUser(stack);
    await release(stack);
    const id = await dispatch(stack, { type: "Kept", payload: { fails: true } }, user);
    await stack.tick();
    const retrying = await follow(stack, id, user);
    assertEquals([retrying.status, retrying.progress?.value], ["retrying", 0.9]);
    await stack.sql`
      update public.messenger_messages set available_at = now() where id = ${id}`;
    await stack.tick();
    const response = await get(stack, id, user);
    const text = await response.text();
    const { status, reason, attempt } = JSON.parse(text);
    assertEquals([status, reason, attempt], ["failed", "exhausted", 2]);
    assertEquals(text.includes("secret"), false);

    await stack.client.rpc("messenger_redrive", { ids: [id] });
    await stack.client.rpc("messenger_cancel", { ids: [id] });
    const cancelled = await follow(stack, id, user);
    assertEquals([cancelled.status, cancelled.reason], ["cancelled", "cancelled"]);
  });

  test("a follow of another user's message is answered as if there was none", async (stack) => {
    const ann = await asUser(stack);
    const id = await dispatch(stack, { type: "Note", payload: { text: "x" } }, ann);
    const [backends = ""] = await stack.dispatch({ type: "Note", payload: { text: "x" } });
    const unknown = await get(stack, "999999", ann);
    const answer = [unknown.status, await unknown.json()];
    assertEquals([answer[0], (answer[1] as { code: string }).code], [404, "not_found"]);
    const bob = await asUser(stack);
    for (const [whose, as] of [[id, bob], [backends, ann], ["0", ann]] as const) {
      const response = await get(stack, whose, as);
      assertEquals([response.status, await response.json()], answer);
    }
    assertEquals((await follow(stack, id, ann)).status, "pending");
  });

  test("a text that is no id is an unknown message", async (stack) => {
    const user = await asUser(stack);
    const wrong = [
      "abc",
      "-1",
      "1.5",
      "9".repeat(19),
      "1%20or%201=1",
      "%00",
      "1,2",
      "*",
      "%F0%9F",
      "007",
    ];
    for (const id of wrong) {
      for (const as of [user, { apikey: stack.secretKey }]) {
        const response = await get(stack, id, as);
        await response.body?.cancel();
        assertEquals([id, response.status], [id, 404]);
      }
    }
  });

  test("a secret key follows every message; the publishable key and no key follow none", async (stack) => {
    const id = await dispatch(stack, { type: "Note", payload: { text: "x" } }, await asUser(stack));
    const { data, error } = await stack.client.functions.invoke(`dispatch/${id}`, {
      method: "GET",
    });
    assertEquals([error, data?.id, data?.status], [null, id, "pending"]);
    for (const headers of [asStranger(stack), {}] as Headers[]) {
      const response = await get(stack, id, headers);
      assertEquals([response.status, (await response.json()).code], [401, "unauthorized"]);
    }
  });

  test("a handled message that is not kept is an unknown one", async (stack) => {
    const user = await asUser(stack);
    const id = await dispatch(stack, { type: "Note", payload: { text: "x" } }, user);
    assertEquals((await stack.tick()).messages.handled, 1);
    const response = await get(stack, id, user);
    await response.body?.cancel();
    assertEquals(response.status, 404);
  });

  test("a message whose time is over is an unknown one, also before it is pruned", async (stack) => {
    const user = await asUser(stack);
    await release(stack);
    const id = await dispatch(stack, { type: "Kept", payload: {} }, user);
    await stack.tick();
    assertEquals((await follow(stack, id, user)).status, "handled");
    await stack.sql`update public.messenger_handled_messages set keep_until = now()`;
    const response = await get(stack, id, user);
    await response.body?.cancel();
    assertEquals(response.status, 404);
  });
});
