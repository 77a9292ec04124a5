/** The hooks against a project: dispatched, followed, listed and cancelled by a user. */

import { assertEquals } from "@std/assert";
import { mountHook } from "../support/react.ts";
import { message } from "../../client/mod.ts";
import { useJob, useMessages } from "../../client/react/mod.ts";
import { signedIn } from "../support/client.ts";
import type * as definitions from "../support/messages/mod.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const Kept = message<typeof definitions.Kept>("Kept");
const Note = message<typeof definitions.Note>("Note");

/** Ticks until something was due. */
const work = (stack: TestStack) =>
  eventually(() => stack.tick(), ({ messages }) => messages.claimed > 0);

testsOnStack({}, (test) => {
  test("a job is followed through its progress to its end, and the list shows it", async (stack) => {
    sessionStorage.clear();
    const { messenger } = await signedIn(stack);
    const page = await mountHook(messenger, () => ({ ...useJob(Kept), list: useMessages() }));
    page.current.dispatch({});
    page.current.dispatch({});
    await page.until(({ list }) => list.messages[0]?.status === "pending");
    const ticked = work(stack);
    const { message, list } = await page.until(({ message }) => message?.progress?.value === 0.4);
    assertEquals([message?.progress?.note, list.messages.length], ["halfway, nearly", 1]);
    page.unmount();
    const reloaded = await mountHook(messenger, () => ({ ...useJob(Kept), list: useMessages() }));
    await reloaded.until(({ message }) => message?.id === list.messages[0]?.id);
    await stack
      .sql`insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
    await ticked;
    await reloaded.until(({ message, isPending, list }) =>
      message?.status === "handled" && !isPending && list.messages[0]?.status === "handled"
    );
    reloaded.unmount();
  });

  test("a job is cancelled by its user", async (stack) => {
    const { messenger } = await signedIn(stack);
    const page = await mountHook(messenger, () => useJob(Kept, { storageKey: "cancelled" }));
    await page.current.dispatch({});
    await page.until(({ message }) => message?.status === "pending");
    await page.current.cancel();
    await page.until(({ message, isPending }) => message?.status === "cancelled" && !isPending);
    assertEquals(await stack.count(), 0);
    page.unmount();
  });

  test("a handled message that is not kept ends as not remembered", async (stack) => {
    const { messenger } = await signedIn(stack);
    const page = await mountHook(messenger, () => useJob(Note));
    await page.current.dispatch({ text: "x" });
    await page.until(({ message }) => message?.status === "pending");
    await work(stack);
    const { isPending, error } = await page.until(({ message }) =>
      message?.status === "not_remembered"
    );
    assertEquals([isPending, error], [false, undefined]);
    page.unmount();
  });

  test("signing out with supabase-js takes job and list along", async (stack) => {
    const { supabase, messenger } = await signedIn(stack);
    const page = await mountHook(messenger, () => ({ ...useJob(Note), list: useMessages() }));
    await page.current.dispatch({ text: "x" });
    await page.until(({ message, list }) => !!message && list.messages.length === 1);
    await supabase.auth.signOut();
    const { list } = await page.until(({ job, list }) => !job && !!list.error);
    assertEquals([list.error?.code, list.messages], ["signed_out", []]);
    page.unmount();
  });
});
