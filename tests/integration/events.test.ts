/** Events over HTTPS: by credentials, and by tokens, which only a POST uses up. */

import { assertEquals, assertMatch } from "@std/assert";
import { signToken } from "../../supabase/functions/_shared/symphony/message/event-token.ts";
import { asStranger, asUser, refusal } from "../support/frontend.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const emitted = async ({ sql }: TestStack) =>
  (await sql<{ event: string; value: unknown }[]>`
    select event, value from public.messenger_events order by id`).map((row) => ({ ...row }));

const at = (event: string) => `dispatch/events/${encodeURIComponent(event)}`;

/** A message that waits for an order's approval, and the token that its handler made. */
async function waiting(stack: TestStack, order: string): Promise<string> {
  const [id = ""] = await stack.dispatch({ type: "Approval", payload: { order } });
  await stack.tick();
  const [step] = await stack.sql<{ token: string }[]>`
    select result #>> '{}' as token from public.messenger_steps
    where message_id = ${id} and name = 'token'`;
  return step?.token ?? "";
}

testsOnStack({}, (test) => {
  test("a message waits for an event that is emitted over HTTPS, and takes it once", async (stack) => {
    await waiting(stack, "a/ä 42");
    const user = await asUser(stack, { appMetadata: { order: "a/ä 42" } });
    const response = await stack.post(at("approved:a/ä 42"), { value: { ok: true } }, user);
    assertEquals(response.status, 202);
    const { id } = await response.json();
    assertMatch(id, /^\d+$/);
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals((await stack.effects()).map(({ payload }) => payload.taken), [{
      key: "approved:a/ä 42",
      value: { ok: true },
    }]);
  });

  test("an emit in SQL wakes the message that waits", async (stack) => {
    await waiting(stack, "42");
    await stack.sql`select public.messenger_emit('approved:42', '{"ok":false}')`;
    await stack.tick();
    assertEquals((await stack.effects()).map(({ payload }) => payload.taken), [
      { key: "approved:42", value: { ok: false } },
    ]);
  });

  test("a rule decides by claims, key and value; another's order is refused", async (stack) => {
    const user = await asUser(stack, { appMetadata: { order: "42" } });
    const post = async (event: string, value: unknown, as: Record<string, string>) =>
      await refusal(await stack.post(at(event), { value }, as));
    const closed = [403, "forbidden", ["event"]];
    assertEquals(await post("approved:42", { ok: true }, user), [202]);
    assertEquals(await post("approved:42", { ok: false }, user), closed);
    assertEquals(await post("approved:43", { ok: true }, user), closed);
    assertEquals(await post("approved", { ok: true }, user), closed);
    assertEquals(await post("approved:42", { ok: true }, asStranger(stack)), closed);
    const broken = await asUser(stack, { appMetadata: { order: "throws" } });
    assertEquals(await post("approved:throws", { ok: true }, broken), closed);
    assertEquals((await emitted(stack)).length, 1);
  });

  test("callers emit an event within its rate limits, all of its keys together", async (stack) => {
    const [one, two] = [await asUser(stack), await asUser(stack)];
    const post = (key: string, as?: Record<string, string>) =>
      stack.post(at(`bounded:${key}`), { value: 1 }, as);
    const statuses: number[] = [];
    for (
      const [key, user] of [["a", one], ["b", one], ["c", one], ["a", two], ["b", two]] as const
    ) {
      const response = await post(key, user);
      statuses.push(response.status);
      await response.body?.cancel();
    }
    assertEquals(statuses, [202, 202, 429, 202, 429]);
    const refused = await post("a", one);
    const { message } = await refused.json();
    assertMatch(message, /^event: too many emits of bounded; try again in \d+ s$/);
    assertMatch(refused.headers.get("retry-after") ?? "", /^\d+$/);
    // Holders of a secret key have no limit.
    assertEquals(await refusal(await post("d")), [202]);
    assertEquals((await emitted(stack)).length, 4);
  });

  test("bad requests name what is wrong, and write nothing", async (stack) => {
    const post = async (path: string, body: unknown) => await refusal(await stack.post(path, body));
    const wrong: [path: string, body: unknown, expected: unknown[]][] = [
      [at("nowhere:1"), { value: 1 }, [404, "unknown_event", ["event"]]],
      [at("messenger.batch:1"), { value: 1 }, [404, "unknown_event", ["event"]]],
      [at("signed"), { value: { ok: "yes" } }, [400, "invalid_value", ["value", "ok"]]],
      [at("signed"), {}, [400, "invalid_value", ["value"]]],
      [at("signed"), { vale: 1 }, [400, "invalid_request", ["vale"]]],
      [at("signed") + "?key=1", { value: { ok: true } }, [400, "invalid_request", ["key"]]],
      [at(`signed:${"k".repeat(300)}`), { value: { ok: true } }, [400, "invalid_request", [
        "event",
      ]]],
      ["dispatch/events", {}, [400, "invalid_request", ["token"]]],
      ["dispatch/events", { token: "x" }, [401, "unauthorized", undefined]],
    ];
    for (const [path, body, expected] of wrong) {
      assertEquals([path, ...await post(path, body)], [path, ...expected]);
    }
    assertEquals(await emitted(stack), []);
  });

  test("ten GETs of a token do nothing, the first POST emits, and the second is refused", async (stack) => {
    const token = await waiting(stack, "42");
    const url = `${stack.url}/functions/v1/dispatch/events`;
    for (let n = 0; n < 10; n++) {
      for (const method of ["GET", "HEAD"]) {
        const response = await fetch(`${url}?token=${token}`, { method });
        await response.body?.cancel();
        assertEquals([response.status, response.headers.get("allow")], [405, "POST, OPTIONS"]);
      }
      const keyed = await fetch(`${url}/approved:42`);
      await keyed.body?.cancel();
      assertEquals(keyed.status, 405);
    }
    assertEquals(await emitted(stack), []);

    const post = (body: unknown) => stack.post("dispatch/events", body, {});
    assertEquals(await refusal(await post({ token, value: { ok: 1 } })), [
      400,
      "invalid_value",
      ["value", "ok"],
    ]);
    assertEquals(await refusal(await post({ token, value: { ok: true } })), [202]);
    assertEquals(await refusal(await post({ token, value: { ok: true } })), [
      409,
      "conflict",
      ["token"],
    ]);
    assertEquals(await emitted(stack), [{ event: "approved:42", value: { ok: true } }]);
    await stack.tick();
    assertEquals((await stack.effects()).length, 1);
  });

  test("of two POSTs at once one emits", async (stack) => {
    const token = await waiting(stack, "42");
    const post = () => stack.post("dispatch/events", { token, value: { ok: true } }, {});
    const statuses = await Promise.all(Array.from({ length: 5 }, async () => {
      const response = await post();
      await response.body?.cancel();
      return response.status;
    }));
    assertEquals(statuses.toSorted(), [202, 409, 409, 409, 409]);
    assertEquals((await emitted(stack)).length, 1);
  });

  test("a token that has expired, or that another key has signed, emits nothing", async (stack) => {
    const content = { event: "open", messageId: "1", expiresAt: Date.now() - 1, tokenId: "t" };
    const post = async (token: string) =>
      await refusal(await stack.post("dispatch/events", { token, value: { ok: true } }, {}));
    assertEquals(await post(signToken(content, stack.secretKey)), [410, "expired", undefined]);
    const later = { ...content, expiresAt: Date.now() + 60_000 };
    assertEquals(await post(signToken(later, "sb_secret_another")), [
      401,
      "unauthorized",
      undefined,
    ]);
    assertEquals(await emitted(stack), []);
    assertEquals(await post(signToken(later, stack.secretKey)), [202]);
  });

  test("a wait ends at its time without an event", async (stack) => {
    await waiting(stack, "42");
    await stack.sql`update public.messenger_steps set until = now() where kind = 'wait'`;
    await stack.sql`update public.messenger_messages set available_at = now() where true`;
    await stack.tick();
    await stack.sql`select public.messenger_emit('approved:42', '{"ok":true}')`;
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    assertEquals((await stack.effects()).map(({ payload }) => payload.taken), [null]);
  });
});
