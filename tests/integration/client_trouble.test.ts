/** The client in trouble: its errors, and what it repeats. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  createMessengerClient,
  isMessengerError,
  message,
  MessengerError,
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
const UNKNOWN = [["999999", "not_found"], ["a/b?c", "invalid"], ["", "invalid"]] as const;

testsOnStack({}, (test) => {
  test("each refusal is an error with a code, with what supabase-js answered as its cause", async (stack) => {
    const { messenger } = await signedIn(stack);
    const wrongKey = withKey(stack, stack.url, "sb_publishable_wrong").messenger;
    const visitor = withKey(stack).messenger;
    const cases = [
      [
        () => messenger.dispatch(Shaky, { failures: "many" as unknown as number }),
        "invalid",
        400,
        ["payload", "failures"],
      ],
      [() => messenger.dispatch(Note, { text: "x".repeat(2_000_000) }), "invalid", 413],
      [() => wrongKey.dispatch(Open, text), "signed_out", 401],
      [() => messenger.dispatch(Secret, text), "forbidden", 403, ["type"]],
      [() => visitor.dispatch(Note, text), "signed_out", 403, ["type"]],
      [() => visitor.list(), "signed_out", 401],
      [() => messenger.dispatch(Note, text, { priority: 1 }), "forbidden", 403, ["priority"]],
    ] as const;
    for (const [act, code, status, path] of cases) {
      const error = await assertRejects<MessengerError>(act, MessengerError);
      assertEquals([error.code, error.status, isMessengerError(error)], [code, status, true]);
      assertEquals(error.issues[0]?.path, path);
      assertEquals((error.cause as Error).name, "FunctionsHttpError");
    }
    for (const [id, code] of UNKNOWN) {
      assertEquals((await assertRejects(() => messenger.status(id), MessengerError)).code, code);
    }
    assertEquals(await stack.count(), 0);
  });

  test("a rate limit that lasts is told at once, with its end", async (stack) => {
    const { messenger } = await signedIn(stack);
    for (let n = 0; n < 3; n++) await messenger.dispatch(Limited, {});
    const error = await assertRejects(() => messenger.dispatch(Limited, {}), MessengerError);
    assertEquals([error.status, error.code], [429, "rate_limited"]);
    assertEquals(Number(error.retryAfterMs) > 60_000, true);
    assertEquals(await stack.count(), 3);
  });

  test("a rate limit is told at once, or waited for where the client says so, also by visitors", async (stack) => {
    const { supabase, messenger } = withKey(stack);
    const waits: number[] = [];
    const patient = createMessengerClient(supabase, { onWait: (ms) => waits.push(ms) });
    await messenger.dispatch(Brisk, {});
    const error = await assertRejects(() => messenger.dispatch(Brisk, {}), MessengerError);
    assertEquals([error.code, error.retryable, await stack.count()], ["rate_limited", true, 1]);
    await patient.dispatch(Brisk, {});
    await createMessengerClient(supabase, { retries: 2 }).dispatch(Brisk, {});
    assertEquals([waits.length > 0, await stack.count()], [true, 3]);
  });

  test("an answer that is lost is asked for again, and there is one message only", async (stack) => {
    const way = lossyWay(stack);
    const { messenger } = await signedIn(stack, way.url);
    way.lose(2);
    const { id } = await messenger.dispatch(Note, text);
    assertEquals([way.left(), await stack.count()], [0, 1]);
    way.lose(1);
    const jobs = await messenger.dispatchAll([
      { message: Note, payload: text },
      { message: Choosy, payload: {} },
    ]);
    assertEquals([way.left(), await stack.count()], [0, 3]);
    way.lose(1);
    assertEquals((await messenger.status(id)).status, "pending");
    const stored = await stack.sql`select id::text from public.messenger_messages order by 1`;
    assertEquals(stored.map((row) => row.id), [id, ...jobs.map(({ id }) => id)].sort());
    way.stop();
  });

  test("a visitor's dispatch is not repeated when its answer is lost, nor is a schedule", async (stack) => {
    const way = lossyWay(stack);
    const { messenger } = withKey(stack, way.url);
    way.lose(1);
    const error = await assertRejects(() => messenger.dispatch(Open, text), MessengerError);
    assertEquals([error.status, error.code, error.detail], [0, "unavailable", "no_answer"]);
    assertEquals([error.idempotencyKey, error.cause !== undefined], [undefined, true]);
    assertEquals([way.left(), await stack.count()], [0, 1]);

    const user = await signedIn(stack, way.url);
    way.lose(1);
    const hourly = { type: "interval", config: { interval: "1h" } } as const;
    await assertRejects(() => user.messenger.schedules.create(Choosy, {}, hourly), MessengerError);
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
    const error = await assertRejects(() => messenger.dispatch(Secret, text), MessengerError);
    assertEquals([way.left(), error.code], [1, "unavailable"]);
    way.stop();
  });

  test("a dispatch that failed is repeated with the key of its error, and there is one message", async (stack) => {
    const way = lossyWay(stack);
    const { supabase } = await signedIn(stack, way.url);
    const messenger = createMessengerClient(supabase, { retries: 0 });
    way.lose(1);
    const error = await assertRejects(() => messenger.dispatch(Note, text), MessengerError);
    assertEquals([error.code, typeof error.idempotencyKey], ["unavailable", "string"]);
    const { idempotencyKey } = error;
    const job = await messenger.dispatch(Note, text, { idempotencyKey });
    assertEquals([job.idempotencyKey, await stack.count()], [idempotencyKey, 1]);

    way.lose(1);
    const both = [{ message: Note, payload: text }, { message: Note, payload: text }];
    const { idempotencyKeys } = await assertRejects(
      () => messenger.dispatchAll(both),
      MessengerError,
    );
    await messenger.dispatchAll(
      both.map((one, n) => ({ ...one, idempotencyKey: idempotencyKeys?.[n] })),
    );
    assertEquals(await stack.count(), 3);
    way.stop();
  });

  test("a function that is killed under a dispatch is asked again", async (stack) => {
    const { messenger } = await signedIn(stack);
    await messenger.dispatch(Note, text);
    const [job] = await Promise.all([
      messenger.dispatch(Note, text),
      stack.killFunction("dispatch"),
    ]);
    assertEquals((await job.status()).status, "pending");
    assertEquals(await stack.count(), 2);
  });
});
