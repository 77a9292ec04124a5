/** Following by live updates, with a stand-in for Realtime. */

import { assertEquals } from "@std/assert";
import { createMessengerClient, message, type SupabaseLike } from "../../client/mod.ts";
import { createClient } from "@supabase/supabase-js";
import { createClient as createOldestClient } from "oldest-supabase-js";
import { signedIn } from "../support/client.ts";
import type * as definitions from "../support/messages/mod.ts";
import { startRealtime } from "../support/realtime.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const Kept = message<typeof definitions.Kept>("Kept");
const Told = message<typeof definitions.Told>("Told");
const Measured = message<typeof definitions.Measured>("Measured");

testsOnStack({}, (test) => {
  test("each change is told as it happens, also the end of a message that is not kept", async (stack) => {
    const realtime = await startRealtime(stack);
    const { messenger, supabase } = await signedIn(stack, realtime.url);
    const jobs = [await messenger.dispatch(Told, {}), await messenger.dispatch(Told, {})];
    const seen: string[][] = [[], []];
    const ends = jobs.map(async (job, index) => {
      for await (const { status } of job.follow()) seen[index]?.push(status);
    });
    const { data: { session } } = await supabase.auth.getSession();
    const topic = `realtime:messenger:${session?.user.id}`;
    await eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length > 0);
    // The first state comes by a poll, or by the channel.
    await eventually(() => Promise.resolve(seen), (states) => states.every(([first]) => first));
    assertEquals((await stack.tick()).messages.handled, 2);
    await Promise.all(ends);
    const all = ["pending", "processing", "handled"];
    assertEquals(seen, [all, all]);
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

  test("the end has the result, also one that is too large for an update", async (stack) => {
    const realtime = await startRealtime(stack);
    const { messenger, supabase } = await signedIn(stack, realtime.url);
    const jobs = [
      await messenger.dispatch(Measured, { size: 20 }),
      await messenger.dispatch(Measured, { size: 30_000 }),
    ];
    const ends = jobs.map((job) => job.finished());
    await eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length > 0);
    await stack.tick();
    const states = await Promise.all(ends);
    assertEquals(states.map(({ result }) => result?.text.length), [20, 30_000]);
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

  for (
    const [version, create] of [["newest", createClient], ["oldest", createOldestClient]] as const
  ) {
    test(`two clients and the app's own channel share one, with the ${version} supabase-js`, async (stack) => {
      const realtime = await startRealtime(stack);
      const supabase = create(realtime.url, stack.publishableKey, {
        auth: { persistSession: false, autoRefreshToken: false, storageKey: version },
      });
      const email = `${crypto.randomUUID()}@example.org`;
      const { data } = await supabase.auth.signUp({ email, password: "engine" });
      const topic = `messenger:${data.user?.id}`;
      const joined = (times: number) =>
        eventually(() => Promise.resolve(realtime.joined), (topics) => topics.length === times);
      const [one, other] = [createMessengerClient(supabase), createMessengerClient(supabase)];
      const observe = async (messenger: typeof one) => {
        const observer = messenger.observe((await messenger.dispatch(Told, {})).id);
        const stop = observer.subscribe(() => {});
        return { view: () => Promise.resolve(observer.get()), stop };
      };
      const live = ({ view }: Awaited<ReturnType<typeof observe>>) =>
        eventually(view, ({ connection }) => connection === "live");

      // Both are live over one channel, and the app may listen to it too.
      const [first, second] = [await observe(one), await observe(other)];
      await Promise.all([live(first), live(second)]);
      assertEquals([realtime.joined.length, supabase.getChannels().length], [1, 1]);
      const heard: string[] = [];
      const statuses: string[] = [];
      const raw = supabase.channel(topic, { config: { private: true } });
      raw.on("broadcast", { event: "message" }, ({ payload }) => heard.push(payload.status))
        .subscribe((status) => statuses.push(status));
      assertEquals(statuses, ["SUBSCRIBED"]);

      // The app's channel outlives the client's interest, and serves it again.
      first.stop();
      second.stop();
      const third = await observe(one);
      await live(third);
      await stack.tick();
      const { message } = await eventually(
        third.view,
        ({ message }) => message?.status === "handled",
      );
      assertEquals([message?.type, heard.includes("handled")], ["Told", true]);
      assertEquals([realtime.joined.length, supabase.getChannels().length], [1, 1]);

      // Where the app closes it, the client opens another.
      const fourth = await observe(other);
      await live(fourth);
      await raw.unsubscribe();
      await joined(2);
      await live(fourth);

      // Where the app ends the connection, as it does with all of its channels, it is opened again.
      supabase.realtime.disconnect();
      await eventually(fourth.view, ({ connection }) => connection !== "live");
      await joined(3);
      await live(fourth);
      third.stop();
      fourth.stop();
      await eventually(
        () => Promise.resolve(supabase.getChannels()),
        (channels) => channels.length === 0,
      );

      // A channel of the app's own that was there first is used, and never removed.
      const own = supabase.channel(topic, { config: { private: true } });
      own.subscribe();
      await joined(4);
      const fifth = await observe(one);
      await live(fifth);
      fifth.stop();
      assertEquals([supabase.getChannels().length, realtime.joined.length], [1, 4]);
      await stack.tick();
      await supabase.removeAllChannels();
      await realtime.stop();
    });
  }

  test("a client with accessToken is live for the user whom its token names", async (stack) => {
    const realtime = await startRealtime(stack);
    const sub = crypto.randomUUID();
    const jwt = await stack.mintUserJwt({ sub });
    const supabase = createClient(realtime.url, stack.publishableKey, {
      accessToken: () => Promise.resolve(jwt),
    });
    const messenger = createMessengerClient(supabase);
    const observer = messenger.observe((await messenger.dispatch(Told, {})).id);
    const stop = observer.subscribe(() => {});
    await eventually(
      () => Promise.resolve(observer.get()),
      ({ connection }) => connection === "live",
    );
    assertEquals(realtime.joined, [`realtime:messenger:${sub}`]);
    stop();
    await supabase.removeAllChannels();
    await realtime.stop();
  });

  test("where Realtime is not, a message is followed all the same, and the channel is given up", async (stack) => {
    const { messenger, supabase } = await signedIn(stack);
    const job = await messenger.dispatch(Told, {});
    const end = job.finished();
    await eventually(() => Promise.resolve(supabase.getChannels()), (all) => all.length === 1);
    await stack.tick();
    assertEquals((await end).status, "not_remembered");
    await eventually(() => Promise.resolve(supabase.getChannels()), (all) => all.length === 0);
    await supabase.removeAllChannels();
  });

  test("a client that is told not to be live opens no channel", async (stack) => {
    const { supabase } = await signedIn(stack);
    const messenger = createMessengerClient(supabase as SupabaseLike, { live: false });
    const job = await messenger.dispatch(Told, {});
    const end = job.finished();
    await stack.tick();
    assertEquals([(await end).status, supabase.getChannels()], ["not_remembered", []]);
  });
});
