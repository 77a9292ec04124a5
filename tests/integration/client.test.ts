/** The client against the local stack: what it writes, what it tells, and what it does in trouble. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessengerClient,
  type FollowedMessage,
  ForbiddenError,
  InvalidRequestError,
  type Issue,
  message,
  MessengerError,
  NotFoundError,
  RateLimitedError,
  UnauthorizedError,
  UnavailableError,
} from "../../client/mod.ts";
import { signedIn, withKey } from "../support/client.ts";
import { lossyWay } from "../support/lossy.ts";
import type * as definitions from "../support/messages/mod.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const Brisk = message<typeof definitions.Brisk>("Brisk");
const Choosy = message<typeof definitions.Choosy>("Choosy");
const Kept = message<typeof definitions.Kept>("Kept");
const Limited = message<typeof definitions.Limited>("Limited");
const Note = message<typeof definitions.Note>("Note");
const Open = message<typeof definitions.Open>("Open");
const Secret = message<typeof definitions.Secret>("Secret");
const Shaky = message<typeof definitions.Shaky>("Shaky");

const text = { text: "x" };

async function count(stack: TestStack): Promise<number> {
  const [row] = await stack.sql`select count(*)::int as n from public.messenger_messages`;
  return row?.n;
}

/** The next change of a message that somebody follows, but that it runs: that may be over unseen. */
async function next(changes: AsyncGenerator<FollowedMessage, void>): Promise<unknown[]> {
  const { value, done } = await changes.next();
  if (done || !value) return ["the end"];
  if (value.status === "processing") return await next(changes);
  return [value.status, value.attempt, value.reason];
}

/** Ticks until something was due. */
const work = (stack: TestStack) =>
  eventually(() => stack.tick(), ({ messages }) => messages.claimed > 0);

/** Ticks until nothing is left. */
const workOff = (stack: TestStack) =>
  eventually(() => stack.tick().then(() => count(stack)), (left) => left === 0);

const release = (stack: TestStack) =>
  stack.sql`insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;

testsOnStack({}, (test) => {
  test("a user dispatches one message, with the options that the definition leaves them", async (stack) => {
    const { messenger, supabase } = await signedIn(stack);
    const availableAt = new Date("2100-01-01T00:00:00Z");
    const id = await messenger.dispatch(Choosy, {}, { delay: "1h" });
    const secret = withKey(stack, stack.url, stack.secretKey).messenger;
    const options = {
      queue: "later",
      priority: 7,
      groupKey: "g",
      idempotencyKey: "k",
      availableAt,
    };
    const other = await secret.dispatch(Note, text, options);
    assertEquals(await secret.dispatch(Note, text, options), other);

    const rows = await stack.sql`
      select id::text, type, queue, priority, group_key, available_at,
        stamps #>> '{user,id}' as user_id, available_at > now() + interval '59 min' as later
      from public.messenger_messages order by messenger_messages.id`;
    const { data: { user } } = await supabase.auth.getUser();
    assertEquals(
      [rows.length, rows[0]?.id, rows[0]?.user_id, rows[0]?.later],
      [2, id, user?.id, true],
    );
    assertEquals({ ...rows[1] }, {
      id: other,
      type: "Note",
      queue: "later",
      priority: 7,
      group_key: "g",
      available_at: availableAt,
      user_id: null,
      later: true,
    });
  });

  test("a thousand messages are dispatched at once, one more not at all", async (stack) => {
    const { messenger } = await signedIn(stack);
    const notes = Array.from({ length: 1_001 }, (_, n) => ({
      message: Note,
      payload: { text: String(n) },
    }));
    const error = await assertRejects(() => messenger.dispatchAll(notes), InvalidRequestError);
    assertEquals([error.status, error.code, await count(stack)], [400, "invalid_request", 0]);
    const ids = await messenger.dispatchAll(notes.slice(1));
    assertEquals([ids.length, new Set(ids).size, await count(stack)], [1_000, 1_000, 1_000]);
  });

  test("messages of several types go out together, and a wrong one is named by its place", async (stack) => {
    const { messenger } = await signedIn(stack);
    const ids = await messenger.dispatchAll([
      { message: Note, payload: text },
      { message: Choosy, payload: {}, delay: 1_000 },
    ]);
    assertEquals(ids.length, 2);
    const error = await assertRejects(
      () =>
        messenger.dispatchAll([
          { message: Choosy, payload: {} },
          { message: Shaky, payload: { failures: NaN } },
        ]),
      InvalidRequestError,
    );
    assertEquals(error.code, "invalid_payload");
    assertEquals(error.issues.map(({ path }: Issue) => path), [[1, "payload", "failures"]]);
    assertEquals(await count(stack), 2);
  });

  test("a schedule is made as the scheduler makes it", async (stack) => {
    const { messenger } = await signedIn(stack);
    const endAt = new Date("2100-01-01T00:00:00Z");
    const id = await messenger.schedule(Choosy, {}, {
      type: "cron",
      config: { cron: "0 9 * * *" },
      timezone: "America/New_York",
      endAt,
    });
    const secret = withKey(stack, stack.url, stack.secretKey).messenger;
    const at = new Date(Date.now() + 3_600_000);
    const once = { type: "once", config: { at }, queue: "later", name: "mine" } as const;
    const other = await secret.schedule(Note, text, once);
    assertEquals(await secret.schedule(Note, text, once), other);
    const rows = await stack.sql`
      select id::text, cron, timezone, end_at, queue, run_at from public.messenger_schedules
      order by messenger_schedules.id`;
    assertEquals(rows.map((row) => ({ ...row })), [
      {
        id,
        cron: "0 9 * * *",
        timezone: "America/New_York",
        end_at: endAt,
        queue: null,
        run_at: null,
      },
      { id: other, cron: null, timezone: "UTC", end_at: null, queue: "later", run_at: at },
    ]);
    await stack.sql`delete from public.messenger_schedules where true`;
  });

  test("a message is followed through its progress to the end", async (stack) => {
    const { messenger } = await signedIn(stack);
    const id = await messenger.dispatch(Kept, {});
    const changes = messenger.follow(id);
    assertEquals(await next(changes), ["pending", 0, null]);
    const ticked = stack.tick();
    const seen: FollowedMessage[] = [];
    while (!seen.at(-1)?.progress) {
      const { value } = await changes.next();
      if (value) seen.push(value);
    }
    assertEquals(seen.map(({ status, attempt }) => [status, attempt]).at(-1), ["processing", 1]);
    assertEquals(seen.at(-1)?.progress?.note, "halfway, nearly");
    await release(stack);
    await ticked;
    const { value } = await eventually(
      () => changes.next(),
      (step) => step.value?.status !== "processing",
    );
    assertEquals([value?.status, value?.finishedAt !== null], ["handled", true]);
    assertEquals(await next(changes), ["the end"]);
    assertEquals((await messenger.finished(id)).status, "handled");
  });

  test("a message is followed through a retry to its success", async (stack) => {
    const { messenger } = await signedIn(stack);
    const changes = messenger.follow(await messenger.dispatch(Shaky, { failures: 1 }));
    assertEquals(await next(changes), ["pending", 0, null]);
    const ticked = work(stack);
    assertEquals(await next(changes), ["retrying", 1, null]);
    await ticked;
    await workOff(stack);
    assertEquals(await next(changes), ["handled", 2, null]);
    assertEquals(await next(changes), ["the end"]);
  });

  test("a message is followed to the dead letters, with the reason", async (stack) => {
    const { messenger } = await signedIn(stack);
    const changes = messenger.follow(await messenger.dispatch(Shaky, { failures: 9 }));
    assertEquals(await next(changes), ["pending", 0, null]);
    const ticked = work(stack);
    assertEquals(await next(changes), ["retrying", 1, null]);
    await ticked;
    await workOff(stack);
    assertEquals(await next(changes), ["failed", 2, "exhausted"]);
    assertEquals(await next(changes), ["the end"]);
  });

  test("a message that an operator cancels ends as cancelled", async (stack) => {
    const { messenger } = await signedIn(stack);
    const id = await messenger.dispatch(Shaky, { failures: 0 });
    const changes = messenger.follow(id);
    assertEquals(await next(changes), ["pending", 0, null]);
    await stack.client.rpc("messenger_cancel", { ids: [id] });
    assertEquals(await next(changes), ["cancelled", 0, "cancelled"]);
    assertEquals(await next(changes), ["the end"]);
  });

  test("following ends with the signal's reason, or when the loop is left", async (stack) => {
    const { messenger } = await signedIn(stack);
    const id = await messenger.dispatch(Note, text);
    const leaving = new AbortController();
    const changes = messenger.follow(id, { signal: leaving.signal });
    assertEquals(await next(changes), ["pending", 0, null]);
    const waiting = next(changes);
    leaving.abort(new Error("the page was left"));
    await assertRejects(() => waiting, Error, "the page was left");
    for await (const { status } of messenger.follow(id)) {
      assertEquals(status, "pending");
      break;
    }
    await assertRejects(
      () => messenger.dispatch(Note, text, { signal: AbortSignal.abort(new Error("too late")) }),
      Error,
      "too late",
    );
    assertEquals(await count(stack), 1);
  });

  test("a handled message that nobody asked to keep ends in NotFoundError", async (stack) => {
    const { messenger } = await signedIn(stack);
    const changes = messenger.follow(await messenger.dispatch(Note, text));
    assertEquals(await next(changes), ["pending", 0, null]);
    await work(stack);
    await assertRejects(() => changes.next(), NotFoundError);
  });

  test("each refusal is an error of its own, with what supabase-js answered as its cause", async (stack) => {
    const { messenger } = await signedIn(stack);
    const wrongKey = withKey(stack, stack.url, "sb_publishable_wrong").messenger;
    const cases = [
      [() => messenger.dispatch(Shaky, { failures: Infinity }), InvalidRequestError, 400, [
        "payload",
        "failures",
      ]],
      [() => messenger.dispatch(Note, { text: "x".repeat(2_000_000) }), InvalidRequestError, 413],
      [() => wrongKey.dispatch(Open, text), UnauthorizedError, 401],
      [() => messenger.dispatch(Secret, text), ForbiddenError, 403, ["type"]],
      [() => messenger.dispatch(Note, text, { priority: 1 }), ForbiddenError, 403, ["priority"]],
      [() => messenger.status("999999"), NotFoundError, 404],
      [() => messenger.status("a/b?c"), NotFoundError, 404],
    ] as const;
    for (const [act, Class, status, path] of cases) {
      const error = await assertRejects(act, Class);
      assertEquals([error.name, error.status], [Class.name, status]);
      assertEquals(error.issues[0]?.path, path);
      assertEquals((error.cause as Error).name, "FunctionsHttpError");
    }
    await assertRejects(() => messenger.status(""), MessengerError);
    assertEquals(await count(stack), 0);
  });

  test("a rate limit that lasts is told at once, with its end", async (stack) => {
    const { messenger } = await signedIn(stack);
    for (let n = 0; n < 3; n++) await messenger.dispatch(Limited, {});
    const error = await assertRejects(() => messenger.dispatch(Limited, {}), RateLimitedError);
    assertEquals([error.status, error.code], [429, "rate_limited"]);
    assertEquals(Number(error.retryAfterMs) > 60_000, true);
    assertEquals(await count(stack), 3);
  });

  test("a rate limit of a moment is waited for, also by visitors", async (stack) => {
    const { messenger } = withKey(stack);
    const ids = [await messenger.dispatch(Brisk, {}), await messenger.dispatch(Brisk, {})];
    assertEquals([new Set(ids).size, await count(stack)], [2, 2]);
  });

  test("an answer that is lost is asked for again, and there is one message only", async (stack) => {
    const way = lossyWay(stack);
    const { messenger } = await signedIn(stack, way.url);
    way.lose(2);
    const id = await messenger.dispatch(Note, text);
    assertEquals([way.left(), await count(stack)], [0, 1]);
    way.lose(1);
    const ids = await messenger.dispatchAll([
      { message: Note, payload: text },
      { message: Choosy, payload: {} },
    ]);
    assertEquals([way.left(), await count(stack)], [0, 3]);
    way.lose(1);
    assertEquals((await messenger.status(id)).status, "pending");
    const stored = await stack.sql`select id::text from public.messenger_messages order by 1`;
    assertEquals(stored.map((row) => row.id), [id, ...ids].sort());
    way.stop();
  });

  test("a visitor's dispatch is not repeated when its answer is lost, nor is a schedule", async (stack) => {
    const way = lossyWay(stack);
    const { messenger } = withKey(stack, way.url);
    way.lose(1);
    const error = await assertRejects(() => messenger.dispatch(Open, text), UnavailableError);
    assertEquals([error.status, error.code, error.cause !== undefined], [0, "no_answer", true]);
    assertEquals([way.left(), await count(stack)], [0, 1]);

    const user = await signedIn(stack, way.url);
    way.lose(1);
    const hourly = { type: "interval", config: { interval: "1h" } } as const;
    await assertRejects(() => user.messenger.schedule(Choosy, {}, hourly), UnavailableError);
    const schedules = await stack
      .sql`delete from public.messenger_schedules where true returning id`;
    assertEquals(schedules.length, 1);
    way.stop();
  });

  test("a holder of a secret key says that keys may be given, and is repeated too", async (stack) => {
    const way = lossyWay(stack);
    const { supabase } = withKey(stack, way.url, stack.secretKey);
    const messenger = createMessengerClient(supabase, { idempotencyKeys: true, retries: 1 });
    way.lose(1);
    await messenger.dispatch(Secret, text);
    assertEquals([way.left(), await count(stack)], [0, 1]);
    way.lose(3);
    await assertRejects(() => messenger.dispatch(Secret, text), UnavailableError);
    assertEquals(way.left(), 1);
    way.stop();
  });

  test("a function that is killed under a dispatch is asked again", async (stack) => {
    const { messenger } = await signedIn(stack);
    await messenger.dispatch(Note, text);
    const [id] = await Promise.all([
      messenger.dispatch(Note, text),
      stack.killFunction("dispatch"),
    ]);
    assertEquals((await messenger.status(id)).status, "pending");
    assertEquals(await count(stack), 2);
  });

  test("a client that brings its own tokens has no sessions, and dispatches without a key", async (stack) => {
    const { createClient } = await import("@supabase/supabase-js");
    const jwt = await stack.mintUserJwt();
    const supabase = createClient(stack.url, stack.publishableKey, {
      accessToken: () => Promise.resolve(jwt),
    });
    await createMessengerClient(supabase).dispatch(Note, text);
    const keys = () => stack.sql`select from public.messenger_idempotency_keys`;
    assertEquals((await keys()).length, 0);
    await createMessengerClient(supabase, { idempotencyKeys: true }).dispatch(Note, text);
    assertEquals((await keys()).length, 1);
  });
});
