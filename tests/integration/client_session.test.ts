/** The client and the sessions of a real supabase-js: tokens that are renewed, and users who sign out and in. */

import { assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import {
  createBatches,
  createMessengerClient,
  isMessengerError,
  MessengerError,
} from "../../client/mod.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

/** A client whose user signs in with a password, so that the same one can again. */
async function person(stack: TestStack) {
  const supabase = createClient(stack.url, stack.publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const credentials = { email: `${crypto.randomUUID()}@example.org`, password: "engine" };
  const { error } = await supabase.auth.signUp(credentials);
  if (error) throw error;
  const signIn = () => supabase.auth.signInWithPassword(credentials);
  return { supabase, messenger: createMessengerClient(supabase, { live: false }), signIn };
}

testsOnStack({}, (test) => {
  test("a follow ends when its user signs out, and an observer resumes when the same user signs in", async (stack) => {
    const { supabase, messenger, signIn } = await person(stack);
    const job = await messenger.dispatch("Choosy", {}, { delay: "1h" });
    const observer = messenger.observe(job);
    const stop = observer.subscribe(() => {});
    const view = () => Promise.resolve(observer.get());
    const end = job.finished().catch((error) => isMessengerError(error) ? error.code : error);
    await eventually(view, ({ message }) => message?.status === "pending");
    await supabase.auth.signOut();
    assertEquals(await end, "signed_out");
    assertEquals([observer.get().message, observer.get().connection], [undefined, "signed_out"]);

    const other = { email: `${crypto.randomUUID()}@example.org`, password: "engine" };
    await supabase.auth.signUp(other);
    assertEquals([observer.get().message, observer.get().connection], [undefined, "signed_out"]);
    assertEquals((await messenger.list()).messages, []);
    await supabase.auth.signOut();

    await signIn();
    await eventually(view, ({ message }) => message?.status === "pending");
    assertEquals(observer.get().error, undefined);
    stop();
  });

  test("a follow goes through a renewed token unseen", async (stack) => {
    const { supabase, messenger } = await person(stack);
    const job = await messenger.dispatch("Shaky", { failures: 0 });
    const seen: string[] = [];
    const observer = messenger.observe(job);
    const stop = observer.subscribe(() => seen.push(observer.get().connection));
    const end = job.finished();
    await eventually(() => Promise.resolve(seen), ({ length }) => length > 0);
    const before = (await supabase.auth.getSession()).data.session?.refresh_token;
    await supabase.auth.refreshSession();
    const after = (await supabase.auth.getSession()).data.session?.refresh_token;
    await stack.tick();
    assertEquals([(await end).status, before === after], ["handled", false]);
    assertEquals(new Set(seen), new Set(["polling"]));
    stop();
  });

  test("a visitor is asked to sign in, in words that a page can show", async (stack) => {
    const { supabase, messenger } = await person(stack);
    const { id } = await messenger.dispatch("Choosy", {}, { delay: "1h" });
    await supabase.auth.signOut();
    const batches = createBatches(supabase);
    for (
      const call of [
        () => messenger.status(id),
        () => messenger.list(),
        () => messenger.cancel(id),
        () => messenger.schedules.list(),
        () => batches.list(),
        () => batches.create([{ type: "Choosy", payload: {} }], { name: "mine" }),
      ]
    ) {
      const { code, message } = await assertRejects(call, MessengerError);
      assertEquals([code, message], [
        "signed_out",
        "Sign in: this path is for signed-in users",
      ]);
    }
  });
});
