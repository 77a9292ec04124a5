/** messageQueryOptions: following with TanStack Query itself. */

import { assertEquals } from "@std/assert";
import { fakeMessenger, mountHook } from "../../support/react.ts";
import { createElement, type ReactNode } from "react";
import {
  environmentManager,
  QueryClient,
  QueryClientProvider,
  useQuery,
} from "@tanstack/react-query";
import { messageQueryOptions } from "../../../client/react/mod.ts";
import type { FollowedState } from "../../../client/mod.ts";

// TanStack Query takes Deno for a server, where it sets no interval.
environmentManager.setIsServer(() => false);

/** Mounts a query of a message, with a cache that holds no timer. */
async function mountQuery(
  { messenger }: ReturnType<typeof fakeMessenger>,
  id: string,
) {
  const cache = new QueryClient({ defaultOptions: { queries: { gcTime: Infinity } } });
  const hook = await mountHook(
    messenger,
    () => useQuery(messageQueryOptions(messenger, id)),
    (node: ReactNode) => createElement(QueryClientProvider, { client: cache }, node),
  );
  const close = () => {
    hook.unmount();
    cache.clear();
  };
  return { hook, cache, close };
}

Deno.test("TanStack Query follows a message to its end, and then asks no more", async () => {
  const fake = fakeMessenger();
  const { id } = await fake.messenger.dispatch("RenderVideo", {});
  const { hook, cache, close } = await mountQuery(fake, id);
  const { data } = await hook.until(({ data }) => data !== undefined);
  const state: FollowedState | undefined = data;
  assertEquals(state?.status, "pending");
  fake.supabase.change(id, { status: "handled" });
  const { isStale } = await hook.until(({ data }) => data?.status === "handled");
  assertEquals(isStale, false);
  assertEquals(cache.getQueryData(["symphony-messenger", "message", id]), hook.current.data);
  fake.supabase.names();
  await cache.refetchQueries({ stale: true });
  assertEquals(fake.supabase.names(), []);
  close();
});

Deno.test("in TanStack Query, a message that is handled and not kept ends as not remembered", async () => {
  const fake = fakeMessenger();
  const { id } = await fake.messenger.dispatch("RenderVideo", {});
  const { hook, close } = await mountQuery(fake, id);
  await hook.until(({ data }) => data !== undefined);
  fake.supabase.messages.delete(id);
  const { data, error } = await hook.until(({ error }) => error !== null);
  assertEquals([data?.id, (error as { code?: string }).code], [id, "not_remembered"]);
  close();
});

Deno.test("in TanStack Query, an unknown message is an error at once", async () => {
  const fake = fakeMessenger();
  const { hook, close } = await mountQuery(fake, "77");
  const { error } = await hook.until(({ error }) => error !== null);
  assertEquals((error as { code?: string }).code, "not_found");
  // StrictMode's first mount ends before its request is sent.
  assertEquals(fake.supabase.asked(), ["77"]);
  close();
});

Deno.test("the interval is a tenth of the message's age, and the time until a message is due", () => {
  const { messenger } = fakeMessenger();
  const { refetchInterval } = messageQueryOptions(messenger, "1");
  const message = fakeMessage();
  const at = (ms: number) => ({ ...message, availableAt: new Date(Date.now() + ms).toISOString() });
  const ms = (data: FollowedState | undefined, error: unknown = null) =>
    Math.round(Number(refetchInterval({ state: { data, error } })) / 1_000);
  assertEquals(ms(undefined), 1);
  assertEquals([ms(at(-100)), ms(at(-50_000)), ms(at(-900_000))], [1, 5, 30]);
  assertEquals([ms(at(7_000)), ms(at(90_000))], [7, 30]);
  // A dead letter may be redriven.
  assertEquals(ms({ ...message, status: "failed" }), 30);
  assertEquals(
    refetchInterval({ state: { data: { ...message, status: "handled" }, error: null } }),
    false,
  );
  assertEquals(refetchInterval({ state: { data: message, error: { retryable: false } } }), false);
  assertEquals(ms(at(0), { retryable: true }), 1);
});

function fakeMessage(): FollowedState {
  return {
    ...{ kind: "message", id: "1", type: "RenderVideo", status: "pending", cancelling: false },
    ...{ reason: null, attempt: 0, createdAt: "2026-01-01T00:00:00Z", availableAt: null },
    ...{ finishedAt: null, progress: null },
  };
}
