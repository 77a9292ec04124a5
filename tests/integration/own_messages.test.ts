/** Users reach the messages that they dispatched, over HTTPS: many states at once, lists, and cancels. */

import { assertEquals } from "@std/assert";
import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../../supabase/functions/_shared/symphony/message/followed-message.ts";
import { asStranger, asUser, refusal } from "../support/frontend.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

type Headers = Record<string, string>;

/** Dispatches messages that are due tomorrow, one call each, and returns their ids. */
async function dispatch(stack: TestStack, headers: Headers, ...types: string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const type of types) {
    const payload = type === "Choosy" ? {} : { text: "x" };
    const delayed = { type, payload, delay: "24h" };
    const { ids: [id] } = await (await stack.post("dispatch", delayed, headers)).json();
    ids.push(id);
  }
  return ids;
}

const send = (stack: TestStack, method: string, path: string, headers: Headers) =>
  fetch(`${stack.url}/functions/v1/dispatch/${path}`, { method, headers });

async function statuses(
  stack: TestStack,
  ids: readonly unknown[],
  headers: Headers,
): Promise<FollowedMessages> {
  const response = await stack.post("dispatch/status", { ids }, headers);
  assertEquals(response.status, 200);
  return await response.json();
}

async function list(stack: TestStack, query: string, headers: Headers): Promise<OwnMessages> {
  const response = await send(stack, "GET", `messages${query}`, headers);
  assertEquals(response.status, 200);
  return await response.json();
}

const idsOf = ({ messages }: OwnMessages | FollowedMessages) => messages.map(({ id }) => id);

testsOnStack({}, (test) => {
  test("one request tells the states of a user's messages, and which ids are missing", async (stack) => {
    const [ada, bob] = [await asUser(stack), await asUser(stack)];
    const [first = "", second = ""] = await dispatch(stack, ada, "Choosy", "Open");
    const [bobs = ""] = await dispatch(stack, bob, "Choosy");
    const asked = [second, "no id", bobs, first, "007", second, "999999"];
    const { messages, missing } = await statuses(stack, asked, ada);
    assertEquals(messages.map(({ id, kind, type, status }) => [id, kind, type, status]), [
      [second, "message", "Open", "pending"],
      [first, "message", "Choosy", "pending"],
    ]);
    assertEquals(missing, [bobs, "999999", "no id", "007"]);
    const alone: FollowedMessage = await (await send(stack, "GET", first, ada)).json();
    assertEquals(messages[1], alone);

    const { messages: all } = await statuses(stack, [first, bobs], { apikey: stack.secretKey });
    assertEquals(all.map(({ id }) => id), [first, bobs]);
    const none = await statuses(stack, ["x", "x"], ada);
    assertEquals(none, { messages: [], missing: ["x"] });
    const hundred = Array.from({ length: 100 }, (_, n) => String(n + 1_000_000));
    assertEquals((await statuses(stack, hundred, ada)).missing.length, 100);
  });

  test("a request for states that is wrong is refused with its place", async (stack) => {
    const ada = await asUser(stack);
    const many = Array.from({ length: 101 }, (_, n) => String(n));
    for (
      const [body, path, message] of [
        [{}, ["ids"], "is required"],
        [{ ids: [] }, ["ids"], "has to hold an id"],
        [{ ids: many }, ["ids"], "may hold at most 100 ids"],
        [{ ids: ["1", 2] }, ["ids", 1], "has to be an id, as text"],
        [{ ids: ["9".repeat(101)] }, ["ids", 0], "has to be an id, as text"],
        [{ ids: ["1"], all: true }, ["all"], "is not a field of this request"],
      ] as const
    ) {
      const response = await stack.post("dispatch/status", body, ada);
      assertEquals([response.status, (await response.json()).issues], [400, [{ path, message }]]);
    }
    for (const headers of [asStranger(stack), {}]) {
      const response = await stack.post("dispatch/status", { ids: ["1"] }, headers);
      assertEquals((await refusal(response))[0], 401);
    }
  });

  test("a user lists their own messages, the latest first, a page at a time", async (stack) => {
    const [ada, bob] = [await asUser(stack), await asUser(stack)];
    await dispatch(stack, bob, "Choosy");
    const ids = (await dispatch(stack, ada, "Open", "Choosy", "Open", "Choosy")).toReversed();
    await dispatch(stack, { apikey: stack.secretKey }, "Open");
    assertEquals([idsOf(await list(stack, "", ada)), (await list(stack, "", ada)).next], [
      ids,
      null,
    ]);
    const page = await list(stack, "?limit=3", ada);
    assertEquals(idsOf(page), ids.slice(0, 3));
    assertEquals(await list(stack, `?limit=3&cursor=${page.next}`, ada), {
      messages: (await statuses(stack, ids.slice(3), ada)).messages,
      next: null,
    });
    assertEquals(idsOf(await list(stack, "?type=Open", ada)), [ids[1], ids[3]]);
    assertEquals(idsOf(await list(stack, "?type=Nope", ada)), []);

    await (await send(stack, "DELETE", ids[2] ?? "", ada)).body?.cancel();
    assertEquals(idsOf(await list(stack, "?status=cancelled&type=Open", ada)), []);
    assertEquals(idsOf(await list(stack, "?status=cancelled", ada)), [ids[2]]);
    assertEquals(idsOf(await list(stack, "?status=pending", ada)), [ids[0], ids[1], ids[3]]);
    assertEquals(idsOf(await list(stack, "?forceFunctionRegion=eu-west-1", ada)), ids);
  });

  test("a list that is asked for wrongly is refused with the parameter", async (stack) => {
    const ada = await asUser(stack);
    for (
      const [query, path] of [
        ["limit=0", ["limit"]],
        ["limit=101", ["limit"]],
        ["limit=x", ["limit"]],
        ["cursor=x", ["cursor"]],
        ["cursor=" + "9".repeat(19), ["cursor"]],
        ["type=", ["type"]],
        ["status=done", ["status"]],
        ["limit=1&limit=2", ["limit"]],
        ["user=bob", ["user"]],
      ] as const
    ) {
      const response = await send(stack, "GET", `messages?${query}`, ada);
      assertEquals(await refusal(response), [400, "invalid_request", path], query);
    }
  });

  test("only users have messages of their own to list", async (stack) => {
    const withSecret = await send(stack, "GET", "messages", { apikey: stack.secretKey });
    const { code, message } = await withSecret.json();
    assertEquals([withSecret.status, code], [403, "forbidden"]);
    assertEquals(message.includes("the management API"), true);
    for (const headers of [asStranger(stack), {}]) {
      assertEquals((await refusal(await send(stack, "GET", "messages", headers)))[0], 401);
    }
    const anonymous = await asUser(stack, { isAnonymous: true });
    const ids = await dispatch(stack, anonymous, "Open");
    assertEquals(idsOf(await list(stack, "", anonymous)), ids);
  });

  test("a user cancels a message of theirs that waits, and no other user does", async (stack) => {
    const [ada, bob] = [await asUser(stack), await asUser(stack)];
    const [id = ""] = await dispatch(stack, ada, "Choosy");
    const unknown = await send(stack, "DELETE", "999999", bob);
    const told = [unknown.status, await unknown.json()];
    const others = await send(stack, "DELETE", id, bob);
    assertEquals([others.status, await others.json()], told);
    assertEquals(told[0], 404);
    assertEquals((await refusal(await send(stack, "DELETE", id, asStranger(stack))))[0], 401);
    assertEquals(await stack.count(), 1);

    for (const _ of ["once", "and once more, where the first answer was lost"]) {
      const response = await send(stack, "DELETE", id, ada);
      const { kind, status, reason }: FollowedMessage = await response.json();
      assertEquals([response.status, kind, status, reason], [
        200,
        "message",
        "cancelled",
        "cancelled",
      ]);
    }
    assertEquals(await stack.count(), 0);
  });

  test("a type that does not open it to users is cancelled with a secret key only", async (stack) => {
    const ada = await asUser(stack);
    const note = { type: "Note", payload: { text: "x" } };
    const { ids: [id] } = await (await stack.post("dispatch", note, ada)).json();
    assertEquals(await refusal(await send(stack, "DELETE", id, ada)), [
      403,
      "forbidden",
      undefined,
    ]);
    assertEquals(await stack.count(), 1);
    const response = await send(stack, "DELETE", id, { apikey: stack.secretKey });
    assertEquals((await response.json()).status, "cancelled");
  });

  test("a running message is told to stop, its handler's signal is aborted, and it is cancelled", async (stack) => {
    // Short, because a worker looks for cancels when it extends its leases.
    await stack.sql`update public.messenger_queues set lease_ms = 1500 where name = 'default'`;
    const ada = await asUser(stack);
    const kept = { type: "Kept", payload: {} };
    const { ids: [id] } = await (await stack.post("dispatch", kept, ada)).json();
    const ticked = stack.tick();
    const state = async () => (await statuses(stack, [id], ada)).messages[0];
    await eventually(state, (message) => message?.status === "processing");
    const told: FollowedMessage = await (await send(stack, "DELETE", id, ada)).json();
    assertEquals([told.status, told.cancelling], ["processing", true]);
    const { messages } = await ticked;
    assertEquals([messages.handled, messages.failed], [0, 1]);
    const { status, cancelling, reason } = await state() ?? {};
    assertEquals([status, cancelling, reason], ["cancelled", false, "cancelled"]);
  });

  test("a message that is finished is not cancelled", async (stack) => {
    const ada = await asUser(stack);
    await stack.sql`
      insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
    const kept = { type: "Kept", payload: {} };
    const { ids: [id] } = await (await stack.post("dispatch", kept, ada)).json();
    assertEquals((await stack.tick()).messages.handled, 1);
    const late = await send(stack, "DELETE", id, ada);
    assertEquals([late.status, await late.json()], [409, {
      code: "conflict",
      message: "The message is finished: its status is handled",
    }]);
  });
});
