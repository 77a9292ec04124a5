/** Dispatching over HTTPS: what is taken, what is refused, and that a refusal writes nothing. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

async function refusal(response: Response) {
  const body: { code: string; message: string; issues?: { path: unknown[] }[] } = await response
    .json();
  return [response.status, body.code, body.issues?.[0]?.path];
}

async function rows(stack: TestStack): Promise<number> {
  const [row] = await stack.sql<{ n: number }[]>`
    select (select count(*) from public.messenger_messages)::int
      + (select count(*) from messenger.idempotency_keys)::int as n`;
  return row?.n ?? -1;
}

async function asUser(stack: TestStack, sub = crypto.randomUUID()) {
  const jwt = await stack.mintUserJwt({ sub });
  return { authorization: `Bearer ${jwt}`, apikey: stack.publishableKey };
}

testsOnStack({ env: { SYMPHONY_MAX_BODY_BYTES: "100000" } }, (test) => {
  test("a message is dispatched, ticked, handled, and its row is gone", async (stack) => {
    const response = await stack.post("dispatch", note);
    assertEquals(response.status, 202);
    const { ids: [id] } = await response.json();
    assertMatch(id, /^\d+$/);
    assertEquals(await rows(stack), 1);
    const report = await stack.tick();
    assertEquals(report.messages, { claimed: 1, handled: 1, retried: 0, failed: 0 });
    assertEquals(await rows(stack), 0);
    const [effect] = await stack.effects();
    assertEquals([effect?.message_id, effect?.payload], [id, note.payload]);
  });

  test("supabase-js invokes it with a secret key, and with a signed-in user's token", async (stack) => {
    const secret = await stack.client.functions.invoke("dispatch", { body: note });
    assertEquals([secret.error, secret.data?.ids.length], [null, 1]);
    const client = createClient(stack.url, stack.publishableKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    });
    const signedUp = await client.auth.signUp({
      email: "ada@example.org",
      password: "engine-1843",
    });
    assertEquals(signedUp.error, null);
    const user = await client.functions.invoke("dispatch", { body: note });
    assertEquals([user.error, user.data?.ids.length], [null, 1]);
    await stack.tick();
    const users = (await stack.effects()).map(({ context }) => context.user);
    assertEquals(users.length, 2);
    assertEquals(users.find((user) => user !== null), {
      id: signedUp.data.user?.id,
      isAnonymous: false,
    });
  });

  test("an array is dispatched in its order, up to 1,000", async (stack) => {
    const messages = Array.from({ length: 1000 }, (_, n) => ({ type: "Count", payload: { n } }));
    const ids = await stack.dispatch(messages);
    assertEquals(ids.length, 1000);
    const stored = await stack.sql<{ id: string; n: number; queue: string }[]>`
      select id::text, (payload ->> 'n')::int as n, queue from public.messenger_messages order by messenger_messages.id`;
    assertEquals(stored.map(({ id }) => id), ids);
    assertEquals(stored.map(({ n }) => n), messages.map(({ payload }) => payload.n));
    assertEquals(new Set(stored.map(({ queue }) => queue)), new Set(["count"]));
  });

  test("one wrong message in an array refuses all of them", async (stack) => {
    const response = await stack.post("dispatch", [note, { type: "Note", payload: { text: 5 } }]);
    assertEquals(await refusal(response), [400, "invalid_payload", [1, "payload", "text"]]);
    assertEquals(await rows(stack), 0);
  });

  test("options are kept: delay, queue, priority, groupKey", async (stack) => {
    await stack.dispatch({ ...note, delay: "10m", queue: "mail", priority: 7, groupKey: "g" });
    const [row] = await stack.sql`
      select queue, priority, group_key, extract(epoch from available_at - created_at)::int as delay
      from public.messenger_messages`;
    assertEquals({ ...row }, { queue: "mail", priority: 7, group_key: "g", delay: 600 });
  });

  test("availableAt is kept to the millisecond", async (stack) => {
    await stack.dispatch({ ...note, availableAt: "2031-05-06T07:08:09.123+02:00" });
    const [row] = await stack.sql`select available_at from public.messenger_messages`;
    assertEquals(row?.available_at, new Date("2031-05-06T05:08:09.123Z"));
  });

  const wrong: [string, unknown, unknown[]][] = [
    ["malformed JSON", '{"type":', [400, "malformed_json", undefined]],
    ["no body", "", [400, "invalid_request", ["type"]]],
    ["an unknown type", { type: "Nope", payload: {} }, [400, "unknown_type", ["type"]]],
    ["a payload that does not fit", { type: "Note", payload: {} }, [
      400,
      "invalid_payload",
      ["payload", "text"],
    ]],
    ["no payload", { type: "Note" }, [400, "invalid_request", ["payload"]]],
    ["an unknown field", { ...note, retries: 3 }, [400, "invalid_request", ["retries"]]],
    ["a delay that is none", { ...note, delay: "soon" }, [400, "invalid_request", ["delay"]]],
    ["a negative delay", { ...note, delay: -1 }, [400, "invalid_request", ["delay"]]],
    ["a time without offset", { ...note, availableAt: "2026-01-01T00:00:00" }, [
      400,
      "invalid_request",
      ["availableAt"],
    ]],
    ["delay and availableAt", { ...note, delay: 1, availableAt: "2026-01-01T00:00:00Z" }, [
      400,
      "invalid_request",
      ["delay"],
    ]],
    ["a priority out of range", { ...note, priority: 1001 }, [
      400,
      "invalid_request",
      ["priority"],
    ]],
    ["a queue name with a space", { ...note, queue: "a b" }, [400, "invalid_request", ["queue"]]],
    ["an empty idempotency key", { ...note, idempotencyKey: "" }, [
      400,
      "invalid_request",
      ["idempotencyKey"],
    ]],
    ["a key with a character Postgres cannot keep", { ...note, idempotencyKey: "a\0b" }, [
      400,
      "invalid_request",
      ["idempotencyKey"],
    ]],
    ["half of a surrogate pair in a group's key", { ...note, groupKey: "\ud800" }, [
      400,
      "invalid_request",
      ["groupKey"],
    ]],
    ["a time in the year 0", { ...note, availableAt: "0000-01-01T00:00:00Z" }, [
      400,
      "invalid_request",
      ["availableAt"],
    ]],
    ["a character Postgres cannot keep", { type: "Note", payload: { text: "a\0b" } }, [
      400,
      "invalid_payload",
      ["payload", "text"],
    ]],
    ["half of a surrogate pair", '{"type":"Note","payload":{"text":"\\ud800"}}', [
      400,
      "invalid_payload",
      ["payload", "text"],
    ]],
    ["an empty array", [], [400, "invalid_request", []]],
    ["1,001 messages", Array.from({ length: 1001 }, () => note), [400, "invalid_request", []]],
    ["an oversized body", { type: "Note", payload: { text: "x".repeat(100_001) } }, [
      413,
      "body_too_large",
      undefined,
    ]],
  ];
  for (const [what, body, expected] of wrong) {
    test(`${what} is refused with the field's name, and nothing is written`, async (stack) => {
      assertEquals(await refusal(await stack.post("dispatch", body)), expected);
      assertEquals(await rows(stack), 0);
    });
  }

  test("a database that refuses is told by whether trying again can help", async (stack) => {
    const troubles = [
      ["57014", 504, "timeout"],
      ["23505", 409, "conflict"],
      [
        "P0001",
        500,
        "database_error",
      ],
      ["42501", 500, "misconfigured"],
      ["53300", 503, "unavailable"],
    ] as const;
    try {
      for (const [sqlstate, status, code] of troubles) {
        await stack.sql.unsafe(`
          create or replace function public.test_trouble() returns trigger language plpgsql as
          $$ begin raise sqlstate '${sqlstate}' using message = 'a secret of the row'; end $$;
          create or replace trigger test_trouble before insert on public.messenger_messages
            for each row execute function public.test_trouble();`);
        const response = await stack.post("dispatch", note);
        const body = await response.json();
        assertEquals([response.status, body.code], [status, code]);
        assertEquals(body.message.includes("secret"), false);
        assertEquals(response.headers.has("retry-after"), status === 503);
      }
    } finally {
      await stack.sql`drop function public.test_trouble() cascade`;
    }
    assertEquals(await rows(stack), 0);
  });

  test("no key and a wrong key are refused", async (stack) => {
    for (const headers of [{}, { apikey: "sb_secret_wrong" }, { apikey: "sb_publishable_wrong" }]) {
      const response = await stack.post("dispatch", note, headers);
      assertEquals([response.status, (await response.json()).code], [401, "unauthorized"]);
    }
    assertEquals(await rows(stack), 0);
  });

  test("users dispatch only what is opened to them, with the options left to them", async (stack) => {
    const user = await asUser(stack);
    const post = async (body: unknown) => await refusal(await stack.post("dispatch", body, user));
    const secret = { type: "Secret", payload: { text: "x" } };
    assertEquals(await post(secret), [403, "forbidden", ["type"]]);
    assertEquals(await post([note, secret]), [403, "forbidden", [1, "type"]]);
    for (const option of [{ queue: "q" }, { priority: 1 }, { delay: 1 }, { groupKey: "g" }]) {
      assertEquals(await post({ ...note, ...option }), [403, "forbidden", Object.keys(option)]);
    }
    assertEquals(await rows(stack), 0);
    const allowed = await stack.post(
      "dispatch",
      { type: "Choosy", payload: {}, delay: "1h" },
      user,
    );
    assertEquals((await allowed.json()).ids.length, 1);
  });

  test("a user cannot name another user in the body", async (stack) => {
    const response = await stack.post(
      "dispatch",
      { ...note, user: { id: "someone" } },
      await asUser(stack),
    );
    assertEquals(response.status, 400);
    await response.body?.cancel();
  });

  test("a browser's preflight is answered, and responses may be read from any origin", async (stack) => {
    const url = `${stack.url}/functions/v1/dispatch`;
    const preflight = await fetch(url, {
      method: "OPTIONS",
      headers: {
        origin: "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,apikey,content-type,x-client-info",
      },
    });
    await preflight.body?.cancel();
    assertEquals([preflight.status, preflight.headers.get("access-control-allow-origin")], [
      204,
      "*",
    ]);
    const allowed = preflight.headers.get("access-control-allow-headers")?.toLowerCase() ?? "";
    for (const header of ["authorization", "apikey", "content-type", "x-client-info"]) {
      assert(allowed.includes(header), header);
    }
    const refused = await fetch(url, {
      method: "POST",
      headers: { origin: "https://shop.example" },
    });
    await refused.body?.cancel();
    assertEquals([refused.status, refused.headers.get("access-control-allow-origin")], [401, "*"]);
  });

  test("another method and another path are refused as such", async (stack) => {
    const headers = { apikey: stack.secretKey };
    const get = await fetch(`${stack.url}/functions/v1/dispatch`, { headers });
    assertEquals([get.status, (await get.json()).code], [405, "method_not_allowed"]);
    const path = await stack.post("dispatch/no/where", note);
    assertEquals([path.status, (await path.json()).code], [404, "not_found"]);
  });
});
