/** The client in trouble: its errors, and what it repeats. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessengerClient,
  ForbiddenError,
  InvalidRequestError,
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
import { testsOnStack } from "../support/stack.ts";

const Brisk = message<typeof definitions.Brisk>("Brisk");
const Choosy = message<typeof definitions.Choosy>("Choosy");
const Limited = message<typeof definitions.Limited>("Limited");
const Note = message<typeof definitions.Note>("Note");
const Open = message<typeof definitions.Open>("Open");
const Secret = message<typeof definitions.Secret>("Secret");
const Shaky = message<typeof definitions.Shaky>("Shaky");

const text = { text: "x" };

testsOnStack({}, (test) => {
  test("each refusal is an error of its own, with what supabase-js answered as its cause", async (stack) => {
    const { messenger } = await signedIn(stack);
    const wrongKey = withKey(stack, stack.url, "sb_publishable_wrong").messenger;
    const cases = [
      [
        () => messenger.dispatch(Shaky, { failures: "many" as unknown as number }),
        InvalidRequestError,
        400,
        [
          "payload",
          "failures",
        ],
      ],
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
    assertEquals(await stack.count(), 0);
  });

  test("a rate limit that lasts is told at once, with its end", async (stack) => {
    const { messenger } = await signedIn(stack);
    for (let n = 0; n < 3; n++) await messenger.dispatch(Limited, {});
    const error = await assertRejects(() => messenger.dispatch(Limited, {}), RateLimitedError);
    assertEquals([error.status, error.code], [429, "rate_limited"]);
    assertEquals(Number(error.retryAfterMs) > 60_000, true);
    assertEquals(await stack.count(), 3);
  });

  test("a rate limit of a moment is waited for, also by visitors", async (stack) => {
    const { messenger } = withKey(stack);
    const ids = [await messenger.dispatch(Brisk, {}), await messenger.dispatch(Brisk, {})];
    assertEquals([new Set(ids).size, await stack.count()], [2, 2]);
  });

  test("an answer that is lost is asked for again, and there is one message only", async (stack) => {
    const way = lossyWay(stack);
    const { messenger } = await signedIn(stack, way.url);
    way.lose(2);
    const id = await messenger.dispatch(Note, text);
    assertEquals([way.left(), await stack.count()], [0, 1]);
    way.lose(1);
    const ids = await messenger.dispatchAll([
      { message: Note, payload: text },
      { message: Choosy, payload: {} },
    ]);
    assertEquals([way.left(), await stack.count()], [0, 3]);
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
    assertEquals([way.left(), await stack.count()], [0, 1]);

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
    assertEquals([way.left(), await stack.count()], [0, 1]);
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
    assertEquals(await stack.count(), 2);
  });
});
