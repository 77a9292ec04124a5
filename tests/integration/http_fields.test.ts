/** Fields of requests that are not known, given twice or missing: each is named, and nothing is done. */

import { assertEquals } from "@std/assert";
import { ask, clearManaged, refusal } from "../support/management.ts";
import { testsOnStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

testsOnStack({}, (test) => {
  test("a body is not passed over where a path takes none", async (stack) => {
    await clearManaged(stack);
    const [id] = await stack.dispatch({ ...note, delay: "1h" });
    await stack.sql`insert into public.messenger_queues (name) values ('mail')`;
    const paths = [
      ["POST", `/messages/${id}/cancel`],
      ["POST", `/messages/${id}/run`],
      ["POST", "/queues/mail/pause"],
      ["DELETE", "/queues/mail"],
    ] as const;
    for (const [method, path] of paths) {
      const refused = await ask(stack, method, path, { dryRun: true });
      assertEquals(refusal(refused), [400, "invalid_request", ["dryRun"]], path);
      assertEquals(refused.body.message, "dryRun: is not a field of this request");
      assertEquals((await ask(stack, method, path, [])).status, 400, path);
    }
    assertEquals(await stack.count(), 1);
    assertEquals((await ask(stack, "GET", "/queues/mail")).body.paused, false);
    for (const [method, path] of paths.toReversed()) {
      const taken = method === "POST" ? await ask(stack, method, path, {}) : null;
      assertEquals(taken?.status ?? 200, 200, path);
    }
    assertEquals((await ask(stack, "DELETE", "/queues/mail")).status, 200, "an empty body is none");
  });

  test("fields that are not known are named, in bodies and in queries", async (stack) => {
    for (
      const [method, path, body, field] of [
        ["POST", "/failed-messages/redrive", { type: "Note", foo: 1 }, "foo"],
        ["PATCH", "/queues/default", { wieght: 1 }, "wieght"],
        ["GET", "/messages?foo=1", undefined, "foo"],
        ["POST", "/failed-messages/redrive?dryRun=true", { type: "Note" }, "dryRun"],
      ] as const
    ) {
      const refused = await ask(stack, method, path, body);
      assertEquals(refusal(refused), [400, "invalid_request", [field]], path);
      assertEquals(refused.body.message, `${field}: is not a field of this request`);
    }
    const message = "is not a field of this request";
    const wrong = [note, { ...note, dealy: "1h", prio: 1 }];
    const dispatched = await stack.post("dispatch", wrong);
    assertEquals((await dispatched.json()).issues, [
      { path: [1, "dealy"], message },
      { path: [1, "prio"], message },
    ]);
    const schedule = { type: "cron", config: { cron: "@daily", at: 1 }, endsAt: 1 };
    const scheduled = await stack.post("dispatch", { ...note, schedule });
    assertEquals((await scheduled.json()).issues, [
      { path: ["schedule", "config", "at"], message },
      { path: ["schedule", "endsAt"], message },
    ]);
  });

  test("a parameter that is given twice is refused, also with one value", async (stack) => {
    for (const query of ["limit=1&limit=2", "queue=a&queue=b&limit=1", "type=Note&type=Note"]) {
      const refused = await ask(stack, "GET", `/messages?${query}`);
      const [name] = query.split("=");
      assertEquals(refusal(refused), [400, "invalid_request", [name]], query);
      assertEquals(refused.body.message, `${name}: is given more than once`);
    }
  });

  test("what supabase-js adds to the URL of a call with a region is no parameter", async (stack) => {
    const region = "forceFunctionRegion=eu-central-1";
    assertEquals((await ask(stack, "GET", `/queues?${region}&limit=5`)).status, 200);
    const dispatched = await stack.post(`dispatch?${region}`, note);
    assertEquals(dispatched.status, 202, await dispatched.text());
  });

  test("options of a dispatch that stand in its URL are not passed over", async (stack) => {
    const response = await stack.post("dispatch?delay=1h", note);
    const { issues } = await response.json();
    assertEquals([response.status, issues], [400, [
      { path: ["delay"], message: "belongs in the body" },
    ]]);
    assertEquals(await stack.count(), 0);
  });

  test("a field that is missing is required, and a type that is unknown is named once", async (stack) => {
    for (
      const [body, message] of [
        [{ type: "Note" }, "payload: is required"],
        [{ ...note, schedule: { type: "cron" } }, "schedule.config: is required"],
        [{ ...note, type: "Nope" }, 'type: no message is defined with the type "Nope"'],
      ] as const
    ) {
      const response = await stack.post("dispatch", body);
      assertEquals([response.status, (await response.json()).message], [400, message]);
    }
    for (
      const [query, message] of [
        ["type=", "type: is empty"],
        ["limit=0", "limit: has to be a whole number from 1 to 200"],
        ["limit=201", "limit: has to be a whole number from 1 to 200"],
      ] as const
    ) {
      assertEquals((await ask(stack, "GET", `/messages?${query}`)).body.message, message);
    }
  });

  test("a prune has to be told an age, and says what it deleted", async (stack) => {
    await clearManaged(stack);
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
      select nextval('public.messenger_messages_id_seq'), 'Gone', '{}', 'later', 'exhausted', now(),
        now() - n * interval '1 minute'
      from generate_series(1, 25000) as n`;
    for (
      const [body, path] of [
        [{}, ["failedOlderThan"]],
        [{ failedOlderThan: null }, ["failedOlderThan"]],
        [{ failedOlderThan: 0 }, ["failedOlderThan"]],
        [{ failedOlderThan: "0s" }, ["failedOlderThan"]],
        [{ failedOlderThan: "-1s" }, ["failedOlderThan"]],
        [{ all: true }, ["failedOlderThan"]],
        [{ failedOlderThan: "1d", cursor: "x" }, ["cursor"]],
      ] as const
    ) {
      const refused = await ask(stack, "POST", "/prune", body);
      assertEquals(refusal(refused), [400, "invalid_request", path], JSON.stringify(body));
    }
    const dry = await ask(stack, "POST", "/prune", { failedOlderThan: "1h", dryRun: true });
    assertEquals([dry.body.matched, dry.body.done], [10_000, 0]);
    const { body } = await ask(stack, "POST", "/prune", { failedOlderThan: "1h" });
    assertEquals([body.next, body.done, body.failed, body.handled], [null, 24_941, 24_941, 0]);
    const [left] = await stack.sql`select count(*)::int from public.messenger_failed_messages`;
    assertEquals(left?.count, 59);
  });
});
