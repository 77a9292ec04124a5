/** useMessage: a message's state in components, live. */

import { assertEquals, assertStrictEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { fakeMessenger, mount, mountHook } from "../../support/react.ts";
import { createElement, useEffect } from "react";
import { skipToken, useMessage } from "../../../client/react/mod.ts";

/** Lets the client look at once, as a return to the page does. */
const lookAgain = () => globalThis.dispatchEvent(new Event("focus"));

Deno.test("a component shows each change of a message to its end", async () => {
  const { supabase, messenger } = fakeMessenger();
  const { id } = await messenger.dispatch("RenderVideo", {});
  const hook = await mountHook(messenger, () => useMessage(id));
  await hook.until(({ message }) => message?.status === "pending");
  const progress = { value: 0.5, note: null, at: new Date().toISOString() };
  supabase.change(id, { status: "processing", attempt: 1, progress });
  lookAgain();
  const { message, connection } = await hook.until(({ message }) => message?.attempt === 1);
  assertEquals([message?.progress?.value, connection], [0.5, "polling"]);
  supabase.change(id, { status: "handled" });
  lookAgain();
  await hook.until(({ message }) => message?.status === "handled");
  supabase.names();
  lookAgain();
  assertEquals(supabase.names(), []);
  hook.unmount();
});

Deno.test("the result is the same object until something changes", async () => {
  const { messenger } = fakeMessenger();
  const { id } = await messenger.dispatch("RenderVideo", {});
  const hook = await mountHook(messenger, () => useMessage(id));
  const other = await mountHook(messenger, () => useMessage(id));
  const view = await hook.until(({ message }) => message !== undefined);
  assertStrictEquals(await other.until(({ message }) => message !== undefined), view);
  hook.unmount();
  other.unmount();
});

Deno.test("ten components that follow one message share its requests", async () => {
  const { supabase, messenger } = fakeMessenger();
  const { id } = await messenger.dispatch("RenderVideo", {});
  supabase.names();
  const seen = new Set<number>();
  const all = Promise.withResolvers<void>();
  const Row = ({ row }: { readonly row: number }) => {
    const { message } = useMessage(id);
    useEffect(() => {
      if (message && seen.add(row).size === 10) all.resolve();
    }, [message, row]);
    return null;
  };
  const rows = Array.from({ length: 10 }, (_, row) => createElement(Row, { row, key: row }));
  const { unmount } = mount(messenger, rows);
  await deadline(all.promise, 10_000);
  assertEquals(supabase.asked(), [id]);
  unmount();
});

Deno.test("without an id there is no request, and with one it follows", async () => {
  const { supabase, messenger } = fakeMessenger();
  const skipped = await mountHook(
    messenger,
    () => [useMessage(skipToken), useMessage(undefined), useMessage(null)],
  );
  const none = { connection: "connecting" };
  assertEquals<unknown>(skipped.current, [none, none, none]);
  assertEquals(supabase.names(), []);
  skipped.unmount();
});

Deno.test("an unknown message is an error", async () => {
  const { messenger } = fakeMessenger();
  const hook = await mountHook(messenger, () => useMessage("77"));
  const { error } = await hook.until(({ error }) => error !== undefined);
  assertEquals(error?.code, "not_found");
  hook.unmount();
});

Deno.test("signing out hides the message, and signing in shows it again", async () => {
  const { supabase, messenger } = fakeMessenger();
  const { id } = await messenger.dispatch("RenderVideo", {});
  const hook = await mountHook(messenger, () => useMessage(id));
  await hook.until(({ message }) => message !== undefined);
  supabase.sign(null);
  const { message, error } = await hook.until(({ connection }) => connection === "signed_out");
  assertEquals([message, error?.code], [undefined, "signed_out"]);
  supabase.sign("ada");
  await hook.until(({ message }) => message?.id === id);
  hook.unmount();
});

Deno.test("in StrictMode, an unmounted component leaves no listener, and no timer", async () => {
  const { supabase, messenger } = fakeMessenger();
  const { id } = await messenger.dispatch("RenderVideo", {});
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Set<unknown>();
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, ms);
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    timers.delete(timer);
    clearTimeout(timer);
  };
  try {
    const hook = await mountHook(messenger, () => useMessage(id));
    await hook.until(({ message }) => message !== undefined);
    assertEquals([supabase.listeners, timers.size], [1, 1]);
    hook.unmount();
    assertEquals([supabase.listeners, timers.size], [0, 0]);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
  }
});
