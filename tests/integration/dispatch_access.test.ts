/** Permissions to dispatch over HTTPS: denied by default, and opened by definitions. */

import { assert, assertEquals } from "@std/assert";
import { forgeries } from "../support/forgeries.ts";
import { asStranger, asUser, refusal, written } from "../support/frontend.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const open = { type: "Open", payload: { text: "hello" } };
const note = { type: "Note", payload: { text: "hello" } };
const closed = [403, "forbidden", ["type"]];

testsOnStack({}, (test) => {
  test("no forged, foreign, expired or broken token gets in, not even where the publishable key would", async (stack) => {
    // The token that all of them are made from is good.
    assertEquals((await stack.post("dispatch", note, await asUser(stack))).status, 202);
    await stack.clear();
    for (const [what, token] of await forgeries(stack)) {
      for (const message of [note, open]) {
        const response = await stack.post("dispatch", message, {
          authorization: `Bearer ${token}`,
          apikey: stack.publishableKey,
        });
        assertEquals([what, response.status, (await response.json()).code], [
          what,
          401,
          "unauthorized",
        ]);
      }
      const followed = await fetch(`${stack.url}/functions/v1/dispatch/1`, {
        headers: { authorization: `Bearer ${token}`, apikey: stack.publishableKey },
      });
      await followed.body?.cancel();
      assertEquals([what, followed.status], [what, 401]);
    }
    assertEquals(await written(stack), 0);
  });

  test("a user's own role cannot be raised by their metadata or the body", async (stack) => {
    const user = await asUser(stack, { userMetadata: { role: "service_role", team: "red" } });
    const ruled = { type: "Ruled", payload: { team: "red" } };
    assertEquals(await refusal(await stack.post("dispatch", ruled, user)), closed);
    const named = { ...note, stamps: { user: { id: "someone" } } };
    assertEquals((await refusal(await stack.post("dispatch", named, user)))[0], 400);
  });

  const callers: [string, (stack: TestStack) => Promise<Record<string, string>>][] = [
    ["a stranger with the publishable key", (stack) => Promise.resolve(asStranger(stack))],
    ["an anonymous user", (stack) => asUser(stack, { isAnonymous: true })],
    ["a signed-in user", (stack) => asUser(stack)],
  ];
  const opened: Record<string, readonly number[]> = {
    Secret: [403, 403, 403],
    Nowhere: [403, 403, 403],
    Note: [403, 403, 202],
    Open: [202, 202, 202],
  };
  for (const [index, [who, headers]] of callers.entries()) {
    test(`${who} dispatches what is opened to them, and nothing else`, async (stack) => {
      const as = await headers(stack);
      for (const [type, statuses] of Object.entries(opened)) {
        const response = await stack.post("dispatch", { type, payload: { text: "x" } }, as);
        const expected = statuses[index] === 202 ? [202] : closed;
        assertEquals([type, ...await refusal(response)], [type, ...expected]);
      }
    });
  }

  test("the envelope says who dispatched it, as their token does", async (stack) => {
    const sub = crypto.randomUUID();
    await stack.post("dispatch", open, await asUser(stack, { sub, isAnonymous: true }));
    await stack.post("dispatch", open, asStranger(stack));
    await stack.tick();
    const users = (await stack.effects()).map(({ context }) => context.user);
    assertEquals(users.length, 2);
    assertEquals(users.filter((user) => user !== null), [{ id: sub, isAnonymous: true }]);
  });

  test("a rule decides by claims and payload; a stranger has no claims", async (stack) => {
    const red = await asUser(stack, { appMetadata: { team: "red" } });
    const post = async (team: unknown, as: Record<string, string>) =>
      await refusal(await stack.post("dispatch", { type: "Ruled", payload: { team } }, as));
    assertEquals(await post("red", red), [202]);
    assertEquals(await post("blue", red), closed);
    assertEquals(await post("public", red), closed);
    assertEquals(await post("public", asStranger(stack)), [202]);
    assertEquals(await post("red", asStranger(stack)), closed);
    assertEquals(await post(5, red), [400, "invalid_payload", ["payload", "team"]]);
  });

  test("a rule that throws refuses, says nothing of why, and is logged", async (stack) => {
    const message = { type: "Ruled", payload: { team: "throws" } };
    const response = await stack.post("dispatch", message, await asUser(stack));
    const text = await response.text();
    assertEquals([response.status, text.includes("out of order")], [403, false]);
    assert(stack.logs.some((line) => line.includes("access_rule_failed")), stack.logs.join("\n"));
    assertEquals(await written(stack), 0);
  });

  test("one message that is not allowed refuses the whole array, by its place", async (stack) => {
    const response = await stack.post("dispatch", [open, note], asStranger(stack));
    assertEquals(await refusal(response), [403, "forbidden", [1, "type"]]);
    assertEquals(await written(stack), 0);
  });

  test("a stranger has no idempotency key and no schedule, whatever the definition opens", async (stack) => {
    const post = async (more: object) =>
      await refusal(await stack.post("dispatch", { ...open, ...more }, asStranger(stack)));
    const schedule = { type: "interval", config: { interval: "1h" } };
    assertEquals(await post({ idempotencyKey: "k" }), [403, "forbidden", ["idempotencyKey"]]);
    assertEquals(await post({ schedule }), [403, "forbidden", ["schedule"]]);
    assertEquals(await post({ priority: 9 }), [403, "forbidden", ["priority"]]);
    assertEquals(await post({ delay: "1h" }), [202]);
    const user = await asUser(stack, { isAnonymous: true });
    assertEquals(await refusal(await stack.post("dispatch", { ...open, schedule }, user)), [201]);
    await stack.sql`delete from public.messenger_schedules where message_type = 'Open'`;
  });

  test("a payload larger than its definition allows is refused, from whomever", async (stack) => {
    const large = { type: "Small", payload: { text: "x".repeat(20) } };
    for (const as of [undefined, await asUser(stack)]) {
      const response = await stack.post("dispatch", large, as);
      assertEquals(await refusal(response), [400, "invalid_payload", ["payload"]]);
    }
    assertEquals(await written(stack), 0);
  });

  test("the secret key dispatches everything", async (stack) => {
    for (const type of ["Secret", "Note", "Open"]) {
      assertEquals((await stack.dispatch({ type, payload: { text: "x" } })).length, 1);
    }
    assertEquals((await stack.dispatch({ type: "Ruled", payload: { team: "throws" } })).length, 1);
  });

  test("neither users nor strangers reach the tables, the functions of the database or the tick", async (stack) => {
    for (const headers of [asStranger(stack), await asUser(stack)]) {
      const tick = await stack.post("tick", {}, headers);
      await tick.body?.cancel();
      assertEquals(tick.status, 401);
      for (
        const path of [
          "messenger_messages",
          "messenger_handled_messages",
          "messenger_queues",
          "messenger_schedules",
          "rpc/messenger_follow?id=1",
        ]
      ) {
        const response = await fetch(`${stack.url}/rest/v1/${path}`, { headers });
        await response.body?.cancel();
        assert([401, 403].includes(response.status), `${path}: ${response.status}`);
      }
      for (const path of ["progress", "rate_limits", "rpc/next_due"]) {
        const response = await fetch(`${stack.url}/rest/v1/${path}`, {
          headers: { ...headers, "accept-profile": "messenger" },
        });
        assertEquals([path, (await response.json()).code], [path, "PGRST106"]);
      }
    }
  });
});
