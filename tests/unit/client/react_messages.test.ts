/** useMessages: the user's own messages, live. */

import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import type { MadeRequest, MemoryProject } from "../../support/memory_project.ts";
import { fakeMessenger, mountHook, RenderVideo } from "../../support/react.ts";
import { useDispatch, useMessages, type UseMessagesResult } from "../../../client/react/mod.ts";

const returnToPage = () => globalThis.dispatchEvent(new Event("focus"));
const idsOf = ({ messages }: UseMessagesResult) => messages.map(({ id }) => id).join();
const lists = (names: readonly string[]) =>
  names.filter((name) => name === "GET dispatch/messages");

/** A user who has dispatched a number of messages. */
async function withMessages(count: number) {
  const { supabase, messenger } = fakeMessenger();
  for (let n = 0; n < count; n++) await messenger.dispatch("RenderVideo", { n });
  supabase.names();
  return { supabase, messenger };
}

Deno.test("the list shows the newest first, and follows the unfinished", async () => {
  const { supabase, messenger } = await withMessages(3);
  supabase.change("1", { status: "handled" });
  const hook = await mountHook(messenger, () => useMessages());
  assertEquals([hook.current.isLoading, hook.current.messages], [true, []]);
  const first = await hook.until(({ isLoading }) => !isLoading);
  assertEquals([idsOf(first), first.hasMore, first.error], ["3,2,1", false, undefined]);
  supabase.change("2", { status: "processing", attempt: 1 });
  await hook.until(({ messages }) => messages[1]?.status === "processing");
  // The finished message is not asked for.
  assertEquals(supabase.asked().slice(0, 3), ["GET dispatch/messages", "3", "2"]);
  hook.unmount();
});

Deno.test("in StrictMode, the list is loaded once", async () => {
  const { supabase, messenger } = await withMessages(0);
  const hook = await mountHook(messenger, () => useMessages());
  await hook.until(({ isLoading }) => !isLoading);
  assertEquals(supabase.names(), ["GET dispatch/messages"]);
  hook.unmount();
});

Deno.test("a dispatch of a hook and a return to the page show new messages in the background", async () => {
  const { messenger } = await withMessages(1);
  const results: boolean[] = [];
  const hook = await mountHook(messenger, () => {
    const list = useMessages();
    results.push(list.isLoading);
    return { ...list, ...useDispatch(RenderVideo) };
  });
  await hook.until(({ isLoading }) => !isLoading);
  results.splice(0);
  await hook.current.dispatch({});
  await hook.until((result) => idsOf(result) === "2,1");
  await messenger.dispatch("RenderVideo", {});
  returnToPage();
  await hook.until((result) => idsOf(result) === "3,2,1");
  assertEquals(new Set(results), new Set([false]));
  hook.unmount();
});

Deno.test("loadMore adds older pages, and a refresh keeps them", async () => {
  const { supabase, messenger } = await withMessages(5);
  const hook = await mountHook(messenger, () => useMessages({ limit: 2 }));
  await hook.until((result) => idsOf(result) === "5,4");
  hook.current.loadMore();
  hook.current.loadMore();
  await hook.until((result) => idsOf(result) === "5,4,3,2");
  assertEquals(lists(supabase.names()).length, 2);
  await messenger.dispatch("RenderVideo", {});
  await hook.current.refresh();
  await hook.until((result) => idsOf(result) === "6,5,4,3,2");
  assertEquals(hook.current.hasMore, true);
  await hook.current.loadMore();
  await hook.until((result) => idsOf(result) === "6,5,4,3,2,1");
  assertEquals(hook.current.hasMore, false);
  await hook.current.loadMore();
  hook.unmount();
});

Deno.test("a refresh that finds more new messages than a page begins the list again", async () => {
  const { messenger } = await withMessages(3);
  const hook = await mountHook(messenger, () => useMessages({ limit: 2 }));
  await hook.until((result) => idsOf(result) === "3,2");
  for (let n = 0; n < 3; n++) await messenger.dispatch("RenderVideo", { n });
  await hook.current.refresh();
  await hook.until((result) => idsOf(result) === "6,5");
  await hook.current.loadMore();
  await hook.until((result) => idsOf(result) === "6,5,4,3");
  hook.unmount();
});

Deno.test("a list of one type and state leaves out what changes its state", async () => {
  const { supabase, messenger } = await withMessages(2);
  await messenger.dispatch("SendInvoice", {});
  const hook = await mountHook(
    messenger,
    () => useMessages({ type: RenderVideo, status: "pending" }),
  );
  await hook.until((result) => idsOf(result) === "2,1");
  supabase.change("2", { status: "handled" });
  returnToPage();
  await hook.until((result) => idsOf(result) === "1");
  hook.unmount();
});

Deno.test("a failed load is an error, and the next success ends it", async () => {
  const { supabase, messenger } = await withMessages(1);
  const hook = await mountHook(messenger, () => useMessages());
  await hook.until(({ isLoading }) => !isLoading);
  supabase.lost = 1;
  returnToPage();
  const { error, isLoading } = await hook.until(({ error }) => error !== undefined);
  assertEquals([error?.code, isLoading], ["unavailable", false]);
  await hook.current.refresh();
  const list = await hook.until((result) => idsOf(result) === "1");
  assertEquals(list.error, undefined);
  hook.unmount();
});

Deno.test("a first load that fails before the page knows its user is repeated", async () => {
  const { supabase, messenger } = await withMessages(1);
  supabase.lost = 1;
  const results: unknown[] = [];
  const hook = await mountHook(messenger, () => {
    const list = useMessages();
    results.push(list.error);
    return list;
  });
  await hook.until((result) => idsOf(result) === "1");
  assertEquals([supabase.lost, new Set(results)], [0, new Set([undefined])]);
  hook.unmount();
});

Deno.test("signing out empties the list, and the next user gets their own", async () => {
  const { supabase, messenger } = await withMessages(2);
  const hook = await mountHook(messenger, () => useMessages());
  await hook.until((result) => idsOf(result) === "2,1");
  supabase.sign(null);
  const { messages } = await hook.until(({ error }) => error?.code === "signed_out");
  assertEquals(messages, []);
  supabase.messages.clear();
  supabase.sign("bob");
  await hook.until(({ error, isLoading }) => !error && !isLoading);
  assertEquals(hook.current.messages, []);
  hook.unmount();
});

Deno.test("a list that is unmounted ends its request, and follows no message any more", async () => {
  const { supabase, messenger } = await withMessages(2);
  const hook = await mountHook(messenger, () => useMessages());
  await hook.until((result) => idsOf(result) === "2,1");
  supabase.names();
  const answer = Promise.withResolvers<void>();
  supabase.held = answer.promise;
  returnToPage();
  const listed = await listRequest(supabase);
  const aborted = Promise.withResolvers<void>();
  listed.signal?.addEventListener("abort", () => aborted.resolve());
  hook.unmount();
  await deadline(aborted.promise, 10_000);
  assertEquals(supabase.listeners, 0);
  answer.resolve();
});

/** Waits until a list is asked for. */
async function listRequest({ requests }: MemoryProject): Promise<MadeRequest> {
  for (let turn = 0; turn < 1_000; turn++) {
    const listed = requests.find(({ name }) => name === "GET dispatch/messages");
    if (listed) return listed;
    await new Promise((resolve) => setTimeout(resolve));
  }
  throw new Error("no list was asked for");
}
