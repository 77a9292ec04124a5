/** Following with the client: each change to the end, by looking again. */

import { assertEquals, assertRejects } from "@std/assert";
import {
  type FollowedState,
  message,
  type MessageStates,
  MessengerError,
} from "../../client/mod.ts";
import { signedIn } from "../support/client.ts";
import type * as definitions from "../support/messages/mod.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const Kept = message<typeof definitions.Kept>("Kept");
const Note = message<typeof definitions.Note>("Note");
const Shaky = message<typeof definitions.Shaky>("Shaky");

const text = { text: "x" };

/** The next change of a message that somebody follows, but that it runs: that may be over unseen. */
async function next(changes: MessageStates): Promise<unknown[]> {
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
  eventually(() => stack.tick().then(() => stack.count()), (left) => left === 0);

const release = (stack: TestStack) =>
  stack.sql`insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;

testsOnStack({}, (test) => {
  test("a message is followed through its progress to the end", async (stack) => {
    const { messenger } = await signedIn(stack);
    const job = await messenger.dispatch(Kept, {});
    const changes = job.follow();
    assertEquals(await next(changes), ["pending", 0, null]);
    const ticked = stack.tick();
    const seen: FollowedState[] = [];
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
    assertEquals((await job.finished()).status, "handled");
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
    const { id } = await messenger.dispatch(Shaky, { failures: 0 });
    const changes = messenger.follow(id);
    assertEquals(await next(changes), ["pending", 0, null]);
    await stack.client.rpc("messenger_cancel", { ids: [id] });
    assertEquals(await next(changes), ["cancelled", 0, "cancelled"]);
    assertEquals(await next(changes), ["the end"]);
  });

  test("following ends with the signal's reason, or when the loop is left", async (stack) => {
    const { messenger } = await signedIn(stack);
    const { id } = await messenger.dispatch(Note, text);
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
    assertEquals(await stack.count(), 1);
  });

  test("a message that is not kept ends as not remembered, also if no look has seen it", async (stack) => {
    const { messenger } = await signedIn(stack);
    const seen = await messenger.dispatch(Note, text);
    const changes = seen.follow();
    assertEquals(await next(changes), ["pending", 0, null]);
    const unseen = await messenger.dispatch(Note, text);
    await work(stack);
    await workOff(stack);
    // Its attempt is that of the last look, which may have seen it run.
    assertEquals((await next(changes))[0], "not_remembered");
    assertEquals(await next(changes), ["the end"]);
    assertEquals((await unseen.finished()).status, "not_remembered");
    assertEquals(
      (await assertRejects(() => unseen.status(), MessengerError)).code,
      "not_remembered",
    );
  });

  test("users follow none of each other's messages", async (stack) => {
    const ann = await signedIn(stack);
    const bob = await signedIn(stack);
    const { id } = await ann.messenger.dispatch(Note, text);
    for (const ask of [() => bob.messenger.finished(id), () => bob.messenger.status(id)]) {
      assertEquals((await assertRejects(ask, MessengerError)).code, "not_found");
    }
    assertEquals((await ann.messenger.status(id)).status, "pending");
  });
});
