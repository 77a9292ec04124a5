/** useDispatch: one message for one intent, however often it is clicked. */

import {
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { deadline } from "@std/async/deadline";
import { fakeMessenger, mount, mountHook, RenderVideo } from "../../support/react.ts";
import { createElement, useEffect } from "react";
import { renderToString } from "react-dom/server";
import { MessengerError } from "../../../client/mod.ts";
import { useDispatch, useMessenger } from "../../../client/react/mod.ts";

const keysOf = ({ requests }: ReturnType<typeof fakeMessenger>["supabase"]) =>
  requests.map(({ body }) => body.idempotencyKey);

/** A user whose session the page knows. */
async function signedIn(user: string | null = "ada") {
  const { supabase, messenger } = fakeMessenger(user);
  const known = Promise.withResolvers<void>();
  const stop = messenger.session.subscribe(() => known.resolve());
  if (user !== null) await deadline(known.promise, 10_000);
  const hook = await mountHook(messenger, () => useDispatch(RenderVideo));
  const leave = () => {
    hook.unmount();
    stop();
  };
  return { supabase, messenger, hook, leave };
}

Deno.test("clicks while a message is dispatched make one message and share a promise", async () => {
  const { supabase, hook, leave } = await signedIn();
  const answer = Promise.withResolvers<void>();
  supabase.held = answer.promise;
  const first = hook.current.dispatch({ video: 1 });
  const second = hook.current.dispatch({ video: 1 });
  assertStrictEquals(first, second);
  await hook.until(({ isPending }) => isPending);
  answer.resolve();
  const { job, error } = await hook.until(({ isPending }) => !isPending);
  assertEquals([job?.id, error], ["1", undefined]);
  assertEquals(await first, job);
  assertEquals(supabase.names(), ["POST dispatch"]);
  leave();
});

Deno.test("a click after requests whose answers are lost repeats the message with its key", async () => {
  const { supabase, hook, leave } = await signedIn();
  supabase.lost = 2;
  for (let click = 0; click < 2; click++) {
    await assertRejects(() => hook.current.dispatch({ video: 1, size: 2 }), MessengerError);
    const { error } = await hook.until(({ error }) => error !== undefined);
    assertEquals(error?.code, "unavailable");
  }
  // Another object with the same content is no change.
  await hook.current.dispatch({ video: 1, size: 2 });
  await hook.until(({ job }) => job !== undefined);
  assertEquals([hook.current.error, supabase.messages.size], [undefined, 1]);
  assertEquals(new Set(keysOf(supabase)).size, 1);
  assertEquals(supabase.requests.length, 3);
  leave();
});

Deno.test("a changed payload, changed options, a success and a reset each begin a new message", async () => {
  const { supabase, hook, leave } = await signedIn();
  const lose = async (payload: unknown, options?: { delay: number }) => {
    supabase.lost = 1;
    await assertRejects(() => hook.current.dispatch(payload, options), MessengerError);
  };
  await lose({ video: 1 });
  await lose({ video: 2 });
  await lose({ video: 2 }, { delay: 5 });
  hook.current.reset();
  await lose({ video: 2 }, { delay: 5 });
  await hook.current.dispatch({ video: 2 }, { delay: 5 });
  await hook.current.dispatch({ video: 2 }, { delay: 5 });
  const keys = keysOf(supabase);
  assertEquals(keys[3], keys[4]);
  assertEquals(new Set(keys).size, 5);
  assertEquals(supabase.messages.size, 5);
  leave();
});

Deno.test("after another payload was dispatched, the answer for the one before changes nothing", async () => {
  const { supabase, hook, leave } = await signedIn();
  const answer = Promise.withResolvers<void>();
  supabase.held = answer.promise;
  const first = hook.current.dispatch({ video: 1 });
  supabase.held = Promise.resolve();
  const second = await hook.current.dispatch({ video: 2 });
  await hook.until(({ job }) => job === second);
  answer.resolve();
  assertNotEquals((await first).id, second.id);
  assertEquals(hook.current.job, second);
  leave();
});

Deno.test("in StrictMode, a dispatch in an effect makes one message", async () => {
  const { supabase, messenger } = fakeMessenger();
  const dispatched = Promise.withResolvers<void>();
  const Component = () => {
    const { dispatch, job } = useDispatch(RenderVideo);
    useEffect(() => void dispatch({ video: 1 }), [dispatch]);
    useEffect(() => job && dispatched.resolve(), [job]);
    return null;
  };
  const { unmount } = mount(messenger, createElement(Component));
  await deadline(dispatched.promise, 10_000);
  assertEquals([supabase.names(), supabase.messages.size], [["POST dispatch"], 1]);
  unmount();
  assertEquals(supabase.listeners, 0);
});

Deno.test("a failure that no caller awaits is in the state, and is no unhandled rejection", async () => {
  const { supabase, hook, leave } = await signedIn();
  supabase.lost = 1;
  hook.current.dispatch({});
  await hook.until(({ error }) => error !== undefined);
  // A BigInt is no JSON: the client names its place.
  hook.current.dispatch({ size: 1n });
  const { error } = await hook.until(({ error }) => error?.code === "invalid");
  assertEquals(error?.issues.map(({ path }) => path), [["payload", "size"]]);
  leave();
});

Deno.test("a caller's abort is no error of the component", async () => {
  const { hook, leave } = await signedIn();
  const gone = new Error("the page was left");
  await assertRejects(
    () => hook.current.dispatch({}, { signal: AbortSignal.abort(gone) }),
    Error,
    "the page was left",
  );
  await hook.until(({ isPending }) => !isPending);
  assertEquals(hook.current.error, undefined);
  leave();
});

Deno.test("a click after an abort has the key of the dispatch that may have been written", async () => {
  const { supabase, hook, leave } = await signedIn();
  const leaving = new AbortController();
  const { invoke } = supabase.functions;
  supabase.functions.invoke = async (...call) => {
    await invoke(...call);
    leaving.abort();
    return await new Promise(() => {});
  };
  await assertRejects(() => hook.current.dispatch({}, { signal: leaving.signal }), MessengerError);
  supabase.functions.invoke = invoke;
  const state = await hook.until(({ isPending }) => !isPending);
  assertEquals(state.error, undefined);
  await hook.current.dispatch({});
  const [one, other] = keysOf(supabase);
  assertEquals([one, supabase.messages.size], [other, 1]);
  leave();
});

Deno.test("a visitor's dispatch has no key", async () => {
  const { supabase, hook, leave } = await signedIn(null);
  await assertRejects(() => hook.current.dispatch({}), MessengerError);
  const { error } = await hook.until(({ error }) => error !== undefined);
  assertEquals(error?.code, "signed_out");
  assertEquals(keysOf(supabase), [undefined]);
  leave();
});

Deno.test("a visitor who signs in and dispatches keeps the state", async () => {
  const { supabase, hook, leave } = await signedIn(null);
  const { dispatch } = hook.current;
  supabase.sign("ada");
  const job = await dispatch({ video: 1 });
  await hook.until((state) => state.job === job);
  leave();
});

Deno.test("a user who leaves takes the state and the key along", async () => {
  const { supabase, hook, leave } = await signedIn();
  await hook.current.dispatch({ video: 1 });
  await hook.until(({ job }) => job !== undefined);
  supabase.lost = 1;
  await assertRejects(() => hook.current.dispatch({ video: 2 }), MessengerError);
  await hook.until(({ error }) => error !== undefined);
  supabase.sign("bob");
  await hook.until(({ job, error }) => !job && !error);
  await hook.current.dispatch({ video: 2 });
  assertNotEquals(keysOf(supabase)[1], keysOf(supabase)[2]);
  leave();
});

Deno.test("a hook without a provider says that it needs one", () => {
  const Component = () => {
    useMessenger();
    return null;
  };
  assertThrows(
    () => renderToString(createElement(Component)),
    Error,
    "MessengerProvider: missing above this component",
  );
});
