/** Messages that wait or run, and queues, over the management API. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { messenger } from "../support/cli.ts";
import { actions, ask, clearManaged, refusal } from "../support/management.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };
const later = { ...note, delay: "1h" };

async function ids(stack: TestStack, query: string): Promise<string[]> {
  const { body } = await ask(stack, "GET", `/messages?${query}`);
  return body.messages.map(({ id }: { id: string }) => id);
}

testsOnStack({}, (test) => {
  test("messages are listed by status, type and queue, a page at a time, without payloads", async (stack) => {
    const [a = ""] = await stack.dispatch(later);
    const [b = ""] = await stack.dispatch({ ...later, queue: "mail" });
    const [c = ""] = await stack.dispatch({ type: "Count", payload: { n: 1 } });
    assertEquals(await ids(stack, ""), [c, b, a]);
    assertEquals(await ids(stack, "type=Note"), [b, a]);
    assertEquals(await ids(stack, "queue=mail"), [b]);
    assertEquals(await ids(stack, "status=pending&type=Count"), [c]);
    assertEquals(await ids(stack, "status=processing"), []);
    const first = await ask(stack, "GET", "/messages?limit=2");
    const second = await ask(stack, "GET", `/messages?limit=2&cursor=${first.body.next}`);
    assertEquals(second.body.messages.map(({ id }: { id: string }) => id), [a]);
    assertEquals([second.body.next, "payload" in second.body.messages[0]], [null, false]);
  });

  test("messages are found by their group, their user and the time of their dispatch, in lists and in changes", async (stack) => {
    const [a = "", b = ""] = await stack.dispatch([{ ...later, groupKey: "g" }, later]);
    await stack.sql`update public.messenger_messages
      set stamps = '{"user":{"id":"ada"}}', created_at = '2026-01-01T10:00:00Z' where id = ${b}`;
    assertEquals(await ids(stack, "groupKey=g"), [a]);
    assertEquals(await ids(stack, "groupKey=g&queue=default"), [a]);
    assertEquals(await ids(stack, "user=ada"), [b]);
    assertEquals(await ids(stack, "createdUntil=2026-01-02T10:00:00Z"), [b]);
    assertEquals(await ids(stack, "createdFrom=2026-01-02T10:00:00Z"), [a]);
    const filters = [{ groupKey: "g" }, { user: "ada" }, { createdUntil: "2026-01-02T10:00:00Z" }];
    for (const filter of filters) {
      const { body } = await ask(stack, "POST", "/messages/run", { ...filter, dryRun: true });
      assertEquals(body.matched, 1, JSON.stringify(filter));
    }
    assertEquals((await ask(stack, "POST", "/messages/cancel", { user: "ada" })).body.done, 1);
    assertEquals(await ids(stack, ""), [a]);
  });

  test("a message is shown with what it came from and what it waits for", async (stack) => {
    await clearManaged(stack);
    const batch = await stack.post("dispatch/batches", { name: "ours", messages: [later] });
    const { batchId } = await batch.json();
    const made = await stack.post("dispatch", {
      ...note,
      schedule: {
        type: "once",
        config: { at: "2026-01-01T10:00:00Z", allowPast: true },
        name: "s",
      },
    });
    const { scheduleId } = await made.json();
    await stack.sql`update public.messenger_queues set paused = true where name = 'default'`;
    await stack.tick();
    const shown = await Promise.all(
      (await ids(stack, "")).map(async (id) =>
        (await ask(stack, "GET", `/messages/${id}`)).body.relations
      ),
    );
    const [scheduled] = shown.filter(({ schedule }) => schedule !== null);
    assertEquals(scheduled.schedule, {
      id: scheduleId,
      name: "s",
      occurrence: "2026-01-01T10:00:00.000Z",
      exists: true,
    });
    const [member] = shown.filter(({ batch }) => batch !== null);
    assertEquals(member.batch, { id: batchId, name: "ours" });
    assertEquals([member.parent, member.children], [null, { messages: [], more: false }]);
  });

  test("a message is shown with its payload, and never with its lease's token", async (stack) => {
    const [id] = await stack.dispatch(note);
    const { body } = await ask(stack, "GET", `/messages/${id}`);
    assertEquals([body.id, body.payload, body.status, body.errors], [
      id,
      note.payload,
      "pending",
      [],
    ]);
    assertEquals(Object.keys(body).filter((name) => /token/i.test(name)), []);
    assertEquals((await ask(stack, "GET", "/messages/999999")).status, 404);
  });

  test("a message is shown with its durable steps, and what it waits for", async (stack) => {
    const [id] = await stack.dispatch({ type: "Sleeper", payload: {} });
    await stack.tick();
    const { body: { steps: [sleep, ...others] } } = await ask(stack, "GET", `/messages/${id}`);
    assertEquals([sleep.name, sleep.kind, sleep.status, others], ["sleep", "sleep", "pending", []]);
    assertEquals(new Date(sleep.until) > new Date(sleep.createdAt), true);
    const [told, shown] = await Promise.all([
      stack.client.functions.invoke(`dispatch/${id}`, { method: "GET" }),
      messenger(stack)(`messages show ${id}`),
    ]);
    assertEquals(told.data.steps, {
      current: { name: "sleep", kind: "sleep", until: sleep.until },
      done: [],
      number: 0,
    });
    assertMatch(shown.out, /"kind": "sleep"/);
  });

  test("a message that waits is cancelled at once, one that runs at its next heartbeat", async (stack) => {
    await clearManaged(stack);
    const [waits] = await stack.dispatch(later);
    const cancel = await ask(stack, "POST", `/messages/${waits}/cancel`);
    assertEquals([cancel.body.done, cancel.body.running], [1, 0]);
    assertEquals((await ask(stack, "POST", `/messages/${waits}/cancel`)).status, 404);

    const [runs] = await stack.dispatch({ type: "Slow", payload: { ms: 1500 } });
    const ticked = stack.tick();
    await eventually(() => ids(stack, "status=processing"), (found) => found.length === 1);
    const running = await ask(stack, "POST", `/messages/${runs}/cancel`);
    assertEquals([running.body.done, running.body.running], [0, 1]);
    const again = await ask(stack, "POST", `/messages/${runs}/cancel`);
    assertEquals([again.body.done, again.body.running], [0, 0]);
    await ticked;
    assertEquals((await actions(stack)).map((action) => action.slice(1)), [
      ["cancel", 1],
      ["cancel", 1],
    ]);
  });

  test("many are cancelled by filter, after a dry run", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch([later, later, { ...later, queue: "mail" }]);
    const dry = await ask(stack, "POST", "/messages/cancel", { type: "Note", dryRun: true });
    assertEquals([dry.body.matched, await actions(stack)], [3, []]);
    const done = await ask(stack, "POST", "/messages/cancel", { queue: "mail" });
    assertEquals([done.body.done, done.body.running], [1, 0]);
    assertEquals((await ids(stack, "")).length, 2);
    assertEquals(refusal(await ask(stack, "POST", "/messages/cancel", { dryRun: true })), [
      400,
      "invalid_request",
      [],
    ]);
  });

  test("queues are listed with their depth and since when the oldest due message waits", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch([later, note, { ...note, queue: "mail" }]);
    const { body } = await ask(stack, "GET", "/queues");
    const depth = body.queues.map((queue: Record<string, { count: number }>) =>
      [queue.name, queue.due?.count, queue.delayed?.count, queue.processing?.count] as unknown[]
    );
    assertEquals(depth, [["default", 1, 1, 0], ["mail", 1, 0, 0]]);
    assert(body.queues[1].oldestReadyAt !== null);
    const page = await ask(stack, "GET", "/queues?limit=1");
    const next = await ask(stack, "GET", `/queues?limit=1&cursor=${page.body.next}`);
    assertEquals(next.body.queues[0].name, "mail");
    assertEquals((await ask(stack, "GET", "/queues/nowhere")).status, 404);
    assertEquals((await ask(stack, "POST", "/queues/nowhere/pause")).status, 404);
  });

  test("a paused queue is left alone until it is resumed", async (stack) => {
    await clearManaged(stack);
    await stack.dispatch(note);
    assertEquals((await ask(stack, "POST", "/queues/default/pause")).body.paused, true);
    assertEquals((await stack.tick()).messages.claimed, 0);
    assertEquals((await ask(stack, "POST", "/queues/default/resume")).body.paused, false);
    assertEquals((await stack.tick()).messages.handled, 1);
    await ask(stack, "POST", "/queues/default/resume");
    assertEquals((await actions(stack)).length, 2, "what changes nothing is not logged");
  });

  test("settings that are given change, the others stay, and null takes a limit away", async (stack) => {
    await clearManaged(stack);
    const set = (body: unknown) => ask(stack, "PATCH", "/queues/default", body);
    const { body } = await set({ concurrency: 5, rateLimit: 10, ratePeriodMs: 60000, weight: 3 });
    assertEquals([body.concurrency, body.rateLimit, body.ratePeriodMs, body.weight], [
      5,
      10,
      60000,
      3,
    ]);
    const next = await set({ rateLimit: null, leaseMs: 5000 });
    assertEquals([next.body.concurrency, next.body.rateLimit, next.body.leaseMs], [5, null, 5000]);
    const { body: log } = await ask(stack, "GET", "/actions?limit=1");
    assertEquals(log.actions[0].target, { name: "default", settings: { lease_ms: 5000 } });
    for (
      const [field, wrong] of [
        ["maxWorkers", { maxWorkers: 0 }],
        ["weight", { weight: null }],
        ["concurrency", { concurrency: 1.5 }],
        ["ratePeriodMs", { ratePeriodMs: 1 }],
        ["leaseMs", { leaseMs: "1s" }],
        ["paused", { paused: 1 }],
      ] as const
    ) {
      const answered = await set(wrong);
      assertEquals(refusal(answered), [400, "invalid_request", [field]]);
    }
    assertEquals((await set({ name: "other" })).status, 400);
    await stack.sql`update public.messenger_queues set concurrency = null, weight = 1,
      lease_ms = null, rate_period_ms = 1000 where name = 'default'`;
  });
});
