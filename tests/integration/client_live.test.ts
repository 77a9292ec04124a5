/** Following by live updates, with a stand-in for Realtime. */

import { assertEquals } from "@std/assert";
import { message } from "../../client/mod.ts";
import { signedIn } from "../support/client.ts";
import type * as definitions from "../support/messages/mod.ts";
import { startRealtime } from "../support/realtime.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const Kept = message<typeof definitions.Kept>("Kept");
const Told = message<typeof definitions.Told>("Told");

testsOnStack({}, (test) => {
  test("each change is told as it happens, also the end of a message that is not kept", async (stack) => {
    const realtime = await startRealtime(stack);
    const { messenger, supabase } = await signedIn(stack, realtime.url);
    const jobs = [await messenger.dispatch(Told, {}), await messenger.dispatch(Told, {})];
    const seen = jobs.map(async (job) => {
      const statuses: string[] = [];
      for await (const { status } of job.follow()) statuses.push(status);
      return statuses;
    });
    const { data: { session } } = await supabase.auth.getSession();
    const topic = `realtime:messenger:${session?.user.id}`;
    await eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length > 0);
    // The look after the join, at both.
    await eventually(() => Promise.resolve(realtime.looks()), (looks) => looks >= 2);
    assertEquals((await stack.tick()).messages.handled, 2);
    const all = ["pending", "processing", "handled"];
    assertEquals(await Promise.all(seen), [all, all]);
    assertEquals(realtime.joined, [topic]);
    await eventually(
      () => Promise.resolve(supabase.getChannels()),
      (channels) => channels.length === 0,
    );

    // The channel is opened again.
    const end = (await messenger.dispatch(Told, {})).finished();
    await eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length > 1);
    await stack.tick();
    assertEquals((await end).status, "handled");
    await supabase.removeAllChannels();
    await realtime.stop();
  });

  test("the client continues to poll when the channel breaks off", async (stack) => {
    const realtime = await startRealtime(stack);
    const { messenger, supabase } = await signedIn(stack, realtime.url);
    const changes = (await messenger.dispatch(Kept, {})).follow();
    assertEquals((await changes.next()).value?.status, "pending");
    const waiting = changes.next();
    await eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length > 0);
    realtime.cutOff();
    await stack.sql`
      insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
    await stack.tick();
    const { value } = await eventually(
      (() => {
        let step = waiting;
        return () => {
          const current = step;
          step = current.then(() => changes.next());
          return current;
        };
      })(),
      (step) => step.value?.status === "handled",
    );
    assertEquals(value?.status, "handled");
    await supabase.removeAllChannels();
    await realtime.stop();
  });
});
