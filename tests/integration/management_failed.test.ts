/** Dead letters over the management API. */

import { assertEquals } from "@std/assert";
import { actions, addFailed, ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const PATH = "/failed-messages";

async function ids(stack: TestStack, query: string): Promise<string[]> {
  const { body } = await ask(stack, "GET", `${PATH}?${query}`);
  return body.messages.map(({ id }: { id: string }) => id);
}

/** Adds dead letters and returns their ids. */
async function addMany(
  { sql }: TestStack,
  error: string,
  { number = 1, groupKey = null, user = null, createdAt = new Date().toISOString() }: {
    number?: number;
    groupKey?: string | null;
    user?: string | null;
    createdAt?: string;
  },
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into public.messenger_failed_messages
      (id, type, payload, queue, reason, error, created_at, failed_at, group_key, stamps)
    select nextval('public.messenger_messages_id_seq'), 'Note', '{"text":"x"}', 'default', 'exhausted',
      ${error}, ${createdAt}, now(), ${groupKey},
      jsonb_strip_nulls(jsonb_build_object('user', jsonb_build_object('id', ${user}::text)))
    from generate_series(1, ${number}::int)
    returning id::text`;
  return rows.map(({ id }) => id);
}

async function left(stack: TestStack): Promise<number> {
  return (await stack.sql`select from public.messenger_failed_messages`).length;
}

testsOnStack({}, (test) => {
  test("a list is filtered, has the latest first, and holds no payloads", async (stack) => {
    const a = await addFailed(stack, { failedAt: "2026-01-01T10:00:00Z", error: "Timeout at 5" });
    const b = await addFailed(stack, { failedAt: "2026-01-02T10:00:00Z", type: "Count" });
    const c = await addFailed(stack, {
      failedAt: "2026-01-03T10:00:00Z",
      queue: "mail",
      reason: "cancelled",
    });
    assertEquals(await ids(stack, ""), [c, b, a]);
    assertEquals(await ids(stack, "type=Count"), [b]);
    assertEquals(await ids(stack, "queue=mail"), [c]);
    assertEquals(await ids(stack, "reason=cancelled"), [c]);
    assertEquals(await ids(stack, "error=timeout"), [a]);
    assertEquals(
      await ids(stack, "failedFrom=2026-01-02T10:00:00Z&failedUntil=2026-01-03T10:00:00Z"),
      [b],
    );
    for (const path of [PATH, `${PATH}/groups`, "/messages"]) {
      const turned = "createdFrom=2026-01-02T10:00:00Z&createdUntil=2026-01-01T10:00:00Z";
      assertEquals(refusal(await ask(stack, "GET", `${path}?${turned}`)), [
        ...[400, "invalid_request", ["createdUntil"]],
      ]);
    }
    const { body } = await ask(stack, "GET", `${PATH}?type=Count`);
    assertEquals(Object.keys(body.messages[0]).filter((name) => name === "payload"), []);
    assertEquals([body.messages[0].failedAt, body.next], ["2026-01-02T10:00:00+00:00", null]);
  });

  test("dead letters are found by their group, their user and the time of their dispatch", async (stack) => {
    const [a = ""] = await addMany(stack, "x", { groupKey: "g", user: "ada" });
    const [b = ""] = await addMany(stack, "x", { createdAt: "2026-01-01T10:00:00Z", user: "bob" });
    assertEquals(await ids(stack, "groupKey=g"), [a]);
    assertEquals(await ids(stack, "user=ada"), [a]);
    assertEquals(await ids(stack, "createdUntil=2026-01-02T10:00:00Z"), [b]);
    assertEquals(await ids(stack, "createdFrom=2026-01-02T10:00:00Z"), [a]);
    const change = (body: unknown) => ask(stack, "POST", `${PATH}/remove`, body);
    for (
      const filter of [{ groupKey: "g" }, { user: "ada" }, { createdFrom: "2026-01-02T10:00:00Z" }]
    ) {
      assertEquals(
        (await change({ ...filter, dryRun: true })).body.matched,
        1,
        JSON.stringify(filter),
      );
    }
    const wrong = { createdFrom: "2026-01-02T10:00:00Z", createdUntil: "2026-01-01T10:00:00Z" };
    assertEquals(refusal(await change(wrong)), [400, "invalid_request", ["createdUntil"]]);
    assertEquals((await change({ user: "bob" })).body.done, 1);
    assertEquals(await ids(stack, ""), [a]);
  });

  test("dead letters are counted by type, reason and error, which a filter takes back", async (stack) => {
    await addMany(stack, "connect ETIMEDOUT", { number: 3 });
    await addMany(stack, "no route", { number: 2 });
    await addFailed(stack, { type: "Count", reason: "expired", error: null });
    const { body } = await ask(stack, "GET", `${PATH}/groups`);
    const [largest] = body.groups;
    assertEquals(
      body.groups.map((
        group: Record<string, unknown>,
      ) => [group.type, group.reason, group.error, group.count]),
      [
        ["Note", "exhausted", "connect ETIMEDOUT", 3],
        ["Note", "exhausted", "no route", 2],
        ["Count", "expired", null, 1],
      ],
    );
    assertEquals([body.leftOut, body.scanned, body.next], [0, 6, null]);
    const { type, reason, error } = largest;
    const filter = { type, reason, error };
    const search = new URLSearchParams(filter);
    assertEquals((await ids(stack, `${search}`)).length, 3);
    const redriven = await ask(stack, "POST", `${PATH}/redrive`, filter);
    assertEquals([redriven.body.done, (await ids(stack, "")).length], [3, 3]);
    const few = await ask(stack, "GET", `${PATH}/groups?limit=1&type=Note`);
    assertEquals([few.body.groups.length, few.body.leftOut], [1, 0]);
  });

  test("pages follow each other without a gap or a repeat, also within one moment", async (stack) => {
    const failedAt = "2026-01-01T10:00:00.123456Z";
    const added: string[] = [];
    for (let n = 0; n < 7; n++) added.push(await addFailed(stack, { failedAt }));
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const query: string = next ? `&cursor=${encodeURIComponent(next)}` : "";
      const { body } = await ask(stack, "GET", `${PATH}?limit=3${query}`);
      seen.push(...body.messages.map(({ id }: { id: string }) => id));
      next = body.next;
    }
    assertEquals(seen, added.toReversed());
  });

  test("a request without a budget takes one step, and the next one continues behind it", async (stack) => {
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at)
      select nextval('public.messenger_messages_id_seq'), 'Note', '{}', 'later', 'exhausted', now() from generate_series(1, 10500)`;
    const body = { type: "Note", budgetMs: 0 };
    const first = await ask(stack, "POST", `${PATH}/remove`, body);
    assertEquals([first.body.done < 10_500, typeof first.body.next], [true, "string"]);
    const { done } = (await ask(stack, "POST", `${PATH}/remove`, {
      ...{ type: "Note", cursor: first.body.next },
    })).body;
    assertEquals([first.body.done + done, await left(stack)], [10_500, 0]);
    const wrong = await ask(stack, "POST", `${PATH}/remove`, { ...body, budgetMs: 10_001 });
    assertEquals(wrong.body.issues[0].path, ["budgetMs"]);
  });

  test("a dead letter is shown with its payload and its history", async (stack) => {
    const id = await addFailed(stack);
    const { body } = await ask(stack, "GET", `${PATH}/${id}`);
    assertEquals([body.id, body.payload, body.errors[0].message, body.status], [
      id,
      { text: "x" },
      "no route",
      "failed",
    ]);
    assertEquals((await ask(stack, "GET", `${PATH}/999999`)).status, 404);
    assertEquals(refusal(await ask(stack, "GET", `${PATH}/abc`)), [400, "invalid_request", ["id"]]);
  });

  test("a dead letter is redriven, handled, and gone", async (stack) => {
    await clearManaged(stack);
    const id = await addFailed(stack);
    const { body } = await ask(stack, "POST", `${PATH}/${id}/redrive`, { toQueue: "slow" });
    assertEquals([body.matched, body.done, body.next], [1, 1, null]);
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals((await ask(stack, "POST", `${PATH}/${id}/redrive`)).status, 404);
    assertEquals(await actions(stack), [["secret key default", "redrive", 1]]);
  });

  test("an edited payload is checked by its schema, and never logged", async (stack) => {
    await clearManaged(stack);
    const id = await addFailed(stack);
    const wrong = await ask(stack, "POST", `${PATH}/${id}/redrive`, { payload: { text: 5 } });
    assertEquals(refusal(wrong), [400, "invalid_payload", ["payload", "text"]]);
    assertEquals([await left(stack), await actions(stack)], [1, []]);
    const right = await ask(stack, "POST", `${PATH}/${id}/redrive`, {
      payload: { text: "s3cret" },
    });
    assertEquals([right.body.matched, right.body.done], [1, 1]);
    await stack.tick();
    assertEquals((await stack.effects()).map(({ payload }) => payload), [{ text: "s3cret" }]);
    const { body } = await ask(stack, "GET", "/actions");
    assertEquals(body.actions[0].target, { ids: [id], payload: "edited" });
    const missing = await ask(stack, "POST", `${PATH}/999999/redrive`, { payload: { text: "x" } });
    assertEquals(missing.status, 404);
  });

  test("a dead letter with durable steps is redriven from a step, which an edited payload needs", async (stack) => {
    const id = await addFailed(stack);
    const names = async () => {
      const rows = await stack.sql<{ name: string }[]>`
        select name from public.messenger_steps order by position`;
      return rows.map(({ name }) => name);
    };
    await stack.sql`insert into public.messenger_steps (message_id, handler, name, status)
      select ${id}, 'handler', name, 'done' from unnest(array['a', 'b', 'c']) as name`;
    const path = `${PATH}/${id}/redrive`;
    const edited = await ask(stack, "POST", path, { payload: { text: "new" } });
    assertEquals([edited.status, /^from: is needed/.test(edited.body.message)], [400, true]);
    const unknown = await ask(stack, "POST", path, { from: "d" });
    assertEquals([unknown.status, unknown.body.message], [
      400,
      `from: dead letter ${id} has no step "d"`,
    ]);
    const done = await ask(stack, "POST", path, { payload: { text: "new" }, from: "b" });
    assertEquals([done.body.done, await names()], [1, ["a"]]);
    await stack.sql`truncate public.messenger_steps`;
  });

  test("many are redriven by filter, at a rate, after a dry run that changes and logs nothing", async (stack) => {
    await clearManaged(stack);
    for (let n = 0; n < 3; n++) await addFailed(stack, { error: "timeout" });
    await addFailed(stack, { error: "other" });
    const filter = { type: "Note", error: "TIMEOUT", perSecond: 0.5 };
    const dry = await ask(stack, "POST", `${PATH}/redrive`, { ...filter, dryRun: true });
    assertEquals([dry.body.matched, dry.body.done, await left(stack)], [3, 0, 4]);
    assertEquals(await actions(stack), []);
    const done = await ask(stack, "POST", `${PATH}/redrive`, filter);
    assertEquals([done.body.matched, done.body.done, await left(stack)], [3, 3, 1]);
    const [spread] = await stack.sql<{ seconds: number }[]>`
      select extract(epoch from max(available_at) - min(available_at))::int as seconds
      from public.messenger_messages`;
    assertEquals(spread?.seconds, 4);
    const { body } = await ask(stack, "GET", "/actions");
    assertEquals([body.actions[0].action, body.actions[0].affected, body.actions[0].target], [
      "redrive",
      3,
      { type: "Note", error: "TIMEOUT", per_second: 0.5 },
    ]);
  });

  test("dead letters are removed by id, by ids or by filter", async (stack) => {
    await clearManaged(stack);
    const [a, b] = [await addFailed(stack), await addFailed(stack)];
    await addFailed(stack, { queue: "mail" });
    assertEquals((await ask(stack, "DELETE", `${PATH}/${a}`)).body.done, 1);
    assertEquals((await ask(stack, "DELETE", `${PATH}/${a}`)).status, 404);
    const dry = await ask(stack, "POST", `${PATH}/remove`, { queue: "mail", dryRun: true });
    assertEquals([dry.body.matched, dry.body.done, await left(stack)], [1, 0, 2]);
    await ask(stack, "POST", `${PATH}/remove`, { ids: [a, b] });
    await ask(stack, "POST", `${PATH}/remove`, { queue: "mail" });
    assertEquals(await left(stack), 0);
    assertEquals(
      (await actions(stack)).map(([, action]) => action),
      Array(3).fill("remove_failed"),
    );
  });

  test("no filter means no message, and wrong fields are named", async (stack) => {
    await addFailed(stack);
    for (const act of ["redrive", "remove"]) {
      assertEquals(refusal(await ask(stack, "POST", `${PATH}/${act}`, {})), [
        400,
        "invalid_request",
        [],
      ]);
      for (
        const [field, body] of [
          ["ids", { ids: [] }],
          ["ids", { ids: ["x"] }],
          ["type", { type: "a\u0000b" }],
          ["reason", { reason: "mood" }],
          ["queue", { queue: "ü" }],
          ["failedFrom", { failedFrom: "yesterday" }],
          ["failedUntil", {
            failedFrom: "2026-02-01T00:00:00Z",
            failedUntil: "2026-01-01T00:00:00Z",
          }],
          ["failedUntil", { failedUntil: "0000-01-01T00:00:00Z" }],
          ["maxMessages", { type: "Note", maxMessages: 0 }],
          ["dryRun", { type: "Note", dryRun: "no" }],
        ] as const
      ) {
        const answered = await ask(stack, "POST", `${PATH}/${act}`, body);
        assertEquals([answered.status, answered.body.issues[0].path[0]], [400, field]);
      }
      const unknown = await ask(stack, "POST", `${PATH}/${act}`, { type: "Note", evil: 1 });
      assertEquals([unknown.status, unknown.body.message.includes("evil")], [400, true]);
    }
    assertEquals(await left(stack), 1);
    for (const query of ["limit=0", "limit=201", "limit=x", "cursor=x", "reason=mood", "typ=x"]) {
      assertEquals((await ask(stack, "GET", `${PATH}?${query}`)).status, 400, query);
    }
  });
});
