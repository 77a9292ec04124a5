/** The client against the local stack: what it dispatches and schedules. */

import { assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { createMessengerClient, type Issue, message, MessengerError } from "../../client/mod.ts";
import { signedIn, withKey } from "../support/client.ts";
import type * as definitions from "../support/messages/mod.ts";
import { testsOnStack } from "../support/stack.ts";

const Choosy = message<typeof definitions.Choosy>("Choosy");
const Note = message<typeof definitions.Note>("Note");
const Shaky = message<typeof definitions.Shaky>("Shaky");

const text = { text: "x" };

testsOnStack({}, (test) => {
  test("a user dispatches one message, with the options that the definition leaves them", async (stack) => {
    const { messenger, supabase } = await signedIn(stack);
    const availableAt = new Date("2100-01-01T00:00:00Z");
    const { id } = await messenger.dispatch(Choosy, {}, { delay: "1h" });
    const secret = withKey(stack, stack.url, stack.secretKey).messenger;
    const options = {
      queue: "later",
      priority: 7,
      groupKey: "g",
      idempotencyKey: "k",
      availableAt,
    };
    const other = await secret.dispatch(Note, text, options);
    assertEquals([other.kind, other.type, other.idempotencyKey], ["message", "Note", "k"]);
    assertEquals((await secret.dispatch(Note, text, options)).id, other.id);

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
      id: other.id,
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
    const error = await assertRejects(() => messenger.dispatchAll(notes), MessengerError);
    assertEquals([error.code, error.detail, await stack.count()], [
      ...["invalid", "invalid_request", 0],
    ]);
    const ids = (await messenger.dispatchAll(notes.slice(1))).map(({ id }) => id);
    assertEquals([ids.length, new Set(ids).size, await stack.count()], [1_000, 1_000, 1_000]);
  });

  test("messages of several types go out together, and a wrong one is named by its place", async (stack) => {
    const { messenger } = await signedIn(stack);
    const jobs = await messenger.dispatchAll([
      { message: Note, payload: text },
      { message: Choosy, payload: {}, delay: 1_000 },
    ]);
    assertEquals(jobs.map(({ type }) => type), ["Note", "Choosy"]);
    const error = await assertRejects(
      () =>
        messenger.dispatchAll([
          { message: Choosy, payload: {} },
          { message: Shaky, payload: { failures: NaN } },
        ]),
      MessengerError,
    );
    assertEquals([error.code, error.detail], ["invalid", "invalid_payload"]);
    assertEquals(error.issues.map(({ path }: Issue) => path), [[1, "payload", "failures"]]);
    assertEquals(await stack.count(), 2);
  });

  test("a schedule is made as the scheduler makes it", async (stack) => {
    const { messenger } = await signedIn(stack);
    const endAt = new Date("2100-01-01T00:00:00Z");
    const { kind, id } = await messenger.schedules.create(Choosy, {}, {
      type: "cron",
      config: { cron: "0 9 * * *" },
      timezone: "America/New_York",
      endAt,
    });
    const secret = withKey(stack, stack.url, stack.secretKey).messenger;
    const at = new Date(Date.now() + 3_600_000);
    const once = { type: "once", config: { at }, queue: "later", name: "mine" } as const;
    const other = await secret.schedules.create(Note, text, once);
    assertEquals([kind, other.kind], ["schedule", "schedule"]);
    assertEquals(await secret.schedules.create(Note, text, once), other);
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
      { id: other.id, cron: null, timezone: "UTC", end_at: null, queue: "later", run_at: at },
    ]);
    await stack.sql`delete from public.messenger_schedules where true`;
  });

  test("a client that brings its own tokens has no sessions, and dispatches without a key", async (stack) => {
    const jwt = await stack.mintUserJwt();
    const supabase = createClient(stack.url, stack.publishableKey, {
      accessToken: () => Promise.resolve(jwt),
    });
    await createMessengerClient(supabase).dispatch(Note, text);
    const keys = () => stack.sql`select from messenger.idempotency_keys`;
    assertEquals((await keys()).length, 0);
    await createMessengerClient(supabase, { idempotencyKeys: true }).dispatch(Note, text);
    assertEquals((await keys()).length, 1);
  });
});
