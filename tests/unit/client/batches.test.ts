/** The client's batches: which requests they take, and what becomes of their failures. */

import { assertEquals, assertRejects } from "@std/assert";
import { createBatches, type FollowedBatch, message, MessengerError } from "../../../client/mod.ts";
import type { EmailMessage as Email } from "../../../supabase/functions/_messages/email.ts";
import { fakePage } from "../../support/fake_page.ts";
import { type FakeRequest, fakeSupabase, refusal } from "../../support/fake_supabase.ts";

interface Messages {
  Row: { payload: { n: number; text?: string }; result: unknown };
  Report: { payload: { file: string }; result: unknown };
}

interface Body {
  readonly chunk: number;
  readonly isLast: boolean;
  readonly idempotencyKey: string;
  readonly messages: readonly { readonly payload: unknown }[];
}

/** A server that takes every chunk, unless the test says otherwise. */
function server(answer: (request: FakeRequest) => unknown = () => undefined) {
  let total = 0;
  const { supabase, requests } = fakeSupabase((request) => {
    const given = answer(request);
    if (given !== undefined) return given;
    total += (request.body as Body).messages.length;
    return { batchId: "7", total, sealed: true };
  }, "ann");
  const bodies = () => requests.map(({ body }) => body as Body);
  return { batches: createBatches<Messages>(supabase), requests, bodies };
}

const rows = (count: number, text?: string) =>
  Array.from({ length: count }, (_, n) => ({
    ...{ type: "Row" as const, payload: text === undefined ? { n } : { n, text } },
  }));

Deno.test("a batch is one request, with its events and a key", async () => {
  const { batches, requests, bodies } = server();
  const made = await batches.create(rows(2), {
    ...{ name: "import", onFailed: undefined },
    onFinished: { type: "Report", payload: { file: "a.csv" } },
  });
  const { idempotencyKey } = made;
  assertEquals(made, { kind: "batch", id: "7", total: 2, idempotencyKey });
  assertEquals(requests.map(({ name, method }) => [name, method]), [["dispatch/batches", "POST"]]);
  assertEquals(bodies(), [{
    ...{ name: "import", idempotencyKey, chunk: 1, isLast: true },
    onFinished: { type: "Report", payload: { file: "a.csv" } },
    messages: rows(2),
  } as unknown as Body]);
});

Deno.test("a definition's type and options of a message are sent by name", async () => {
  const { batches, bodies } = server();
  const EmailMessage = message<typeof Email>("EmailMessage");
  const to = "ada@example.org";
  await batches.create([{ message: EmailMessage, payload: { to }, delay: "5m" }], {
    name: "mails",
  });
  assertEquals(bodies()[0]?.messages, [
    { type: "EmailMessage", payload: { to }, delay: "5m" } as { payload: unknown },
  ]);
});

Deno.test("an empty batch is a request too", async () => {
  const { batches, bodies } = server();
  assertEquals((await batches.create([], { name: "none" })).total, 0);
  assertEquals(bodies().map(({ messages, isLast }) => [messages, isLast]), [[[], true]]);
});

Deno.test("a large batch is several requests under one key, by number and by size", async () => {
  const { batches, bodies } = server();
  assertEquals((await batches.create(rows(2_001), { name: "many" })).total, 2_001);
  const shape = () =>
    bodies().map(({ chunk, isLast, messages }) => [chunk, isLast, messages.length]);
  assertEquals(shape(), [[1, false, 1_000], [2, false, 1_000], [3, true, 1]]);
  assertEquals(new Set(bodies().map(({ idempotencyKey }) => idempotencyKey)).size, 1);
  const large = server();
  await large.batches.create(rows(5, "x".repeat(140_000)), { name: "large" });
  assertEquals(large.bodies().map(({ messages }) => messages.length), [2, 2, 1]);
});

Deno.test("a batch that breaks off tells its key, and a repeat with the key makes the same requests", async () => {
  using page = fakePage();
  let isDown = false;
  const { batches, bodies } = server(({ body }) => {
    if (isDown && (body as Body).chunk === 2) throw refusal({ status: 0 });
  });
  isDown = true;
  const failing = assertRejects(() => batches.create(rows(1_500), { name: "x" }), MessengerError);
  await page.advance(60_000);
  const { idempotencyKey, code } = await failing;
  assertEquals([code, bodies().map(({ chunk }) => chunk)], ["unavailable", [1, 2, 2, 2, 2]]);
  isDown = false;
  await batches.create(rows(1_500), { name: "x", idempotencyKey });
  assertEquals(bodies().slice(5), [bodies()[0], bodies()[1]] as Body[]);
});

Deno.test("an abort between two requests tells the key too", async () => {
  const leaving = new AbortController();
  const { signal } = leaving;
  const { batches, bodies } = server(() => leaving.abort("left"));
  const error = await assertRejects(
    () => batches.create(rows(1_001), { name: "x", signal }),
    MessengerError,
  );
  assertEquals([error.code, error.cause, error.idempotencyKey], [
    ...["aborted", "left", bodies()[0]?.idempotencyKey],
  ]);
});

Deno.test("a wrong message of a later request is named by its place in the batch", async () => {
  const { batches } = server(({ body }) => {
    if ((body as Body).chunk === 1) return undefined;
    const issues = [{ path: ["messages", 3, "payload", "n"], message: "has to be a number" }];
    const message = "messages.3.payload.n: has to be a number";
    throw refusal({ status: 400, body: { code: "invalid_payload", message, issues } });
  });
  const error = await assertRejects(
    () => batches.create(rows(1_010), { name: "x" }),
    MessengerError,
    "messages.1003.payload.n: has to be a number",
  );
  assertEquals(error.issues[0]?.path, ["messages", 1_003, "payload", "n"]);
});

Deno.test("a payload that JSON would change is refused before the first request", async () => {
  const { batches, requests } = server();
  const messages = [...rows(1_200), { type: "Row" as const, payload: { n: NaN } }];
  const error = await assertRejects(() => batches.create(messages, { name: "x" }), MessengerError);
  assertEquals(error.issues[0]?.path, ["messages", 1_200, "payload", "n"]);
  assertEquals(requests, []);
});

/** The state of a batch of ten. */
const state = (handled: number, status: FollowedBatch["status"] = "running") => ({
  ...{ kind: "batch", id: "7", name: "import", status, types: ["Row"], total: 10, handled },
  ...{ failed: 0, pending: 10 - handled },
});

Deno.test("a follow yields each change, outlasts failures that may pass, and ends with the batch", async () => {
  using page = fakePage();
  const answers: (() => unknown)[] = [
    () => state(1),
    () => state(1),
    () => state(4),
    ...Array(8).fill(() => {
      throw refusal({ status: 503 });
    }),
    () => state(10, "handled"),
  ];
  const { batches, requests } = server(() => answers.shift()?.());
  const seen: unknown[] = [];
  const end = (async () => {
    for await (const { handled, status } of batches.follow("7")) seen.push([handled, status]);
  })();
  await page.advance(300_000);
  await end;
  assertEquals(seen, [[1, "running"], [4, "running"], [10, "handled"]]);
  assertEquals([requests[0]?.name, requests[0]?.method], ["dispatch/batches/7", "GET"]);
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("a batch that nothing happens to is asked for less and less often, and an abort ends the wait", async () => {
  using page = fakePage();
  const { batches, requests } = server(() => state(1));
  const leaving = new AbortController();
  const end = batches.finished({ kind: "batch", id: "7" }, { signal: leaving.signal })
    .catch((reason) => reason);
  await page.advance(60_000);
  const first = requests.length;
  await page.advance(600_000);
  assertEquals([first < 20, requests.length - first < 40], [true, true], `${requests.length}`);
  leaving.abort("left");
  assertEquals(await end, "left");
  assertEquals(page.left(), { timers: 0, listeners: 0 });
});

Deno.test("return ends a follow of a batch at once, before it begins, while it asks and while it waits", async () => {
  using page = fakePage();
  const { batches, requests } = server(() => state(1));
  const over = { done: true, value: undefined } as const;
  const unread = batches.follow("7");
  assertEquals([await unread.return(undefined), await unread.next()], [over, over]);
  assertEquals(requests, []);
  for (const waitMs of [0, 60_000]) {
    const leaving = new AbortController();
    const states = batches.follow("7", { signal: leaving.signal });
    const first = states.next();
    await page.advance(0);
    assertEquals((await first).value?.handled, 1);
    const waiting = states.next();
    await page.advance(waitMs);
    assertEquals(await states.return(undefined), over);
    assertEquals([await waiting, await states.next()], [over, over]);
    leaving.abort("nothing listens");
    assertEquals(page.left(), { timers: 0, listeners: 0 });
  }
});

Deno.test("a batch that is not there ends a follow, and an id of another kind is refused", async () => {
  const { batches, requests } = server(() => {
    throw refusal({ status: 404, body: { code: "not_found", message: "id: there is no batch" } });
  });
  const calls: [() => Promise<unknown>, string][] = [
    [() => batches.finished("9"), "not_found"],
    [() => batches.get("9"), "not_found"],
    // @ts-expect-error it is a message
    [() => batches.cancel({ kind: "message", id: "9" }), "invalid"],
    [() => batches.get("../9"), "invalid"],
  ];
  for (const [call, code] of calls) {
    assertEquals((await assertRejects(call, MessengerError)).code, code);
  }
  assertEquals(requests.length, 2);
});

Deno.test("a list is a page of batches", async () => {
  const { batches, requests } = server(() => ({ batches: [state(10, "handled")], next: null }));
  const { batches: [batch], next } = await batches.list({ limit: 5, cursor: undefined });
  assertEquals([batch?.id, next, requests[0]?.name], ["7", null, "dispatch/batches?limit=5"]);
});

// The compiler reads this function; no test calls it.
export const _types = async () => {
  const { batches } = server();
  // @ts-expect-error there is no message of this name
  await batches.create([{ type: "Rwo", payload: { n: 1 } }], { name: "x" });
  // @ts-expect-error a field is of another type
  await batches.create([{ type: "Row", payload: { n: "1" } }], { name: "x" });
  // @ts-expect-error a batch has a name
  await batches.create(rows(1), {});
  // @ts-expect-error it is another message's payload
  await batches.create(rows(1), { name: "x", onFinished: { type: "Report", payload: { n: 1 } } });
};
