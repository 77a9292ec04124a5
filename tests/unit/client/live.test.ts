/** The live channel: when it is given up, and when it is tried again. */

import { assertEquals } from "@std/assert";
import type { ChannelLike, SupabaseLike } from "../../../client/mod.ts";
import { fakePage } from "../../support/fake_page.ts";
import { followed, state } from "../../support/followed.ts";

const TOKEN = `x.${btoa(JSON.stringify({ sub: "ann" }))}.x`;

/** A client whose Realtime does as the test says. */
function withRealtime() {
  const bus = followed({ live: "auto" });
  const opened: (ChannelLike & { state: string })[] = [];
  const channels = new Set<ChannelLike>();
  let connects = 0;
  let tell = (_status: string) => {};
  let hear = (_payload: unknown) => {};
  Object.assign(bus.supabase, {
    realtime: {
      ...{ accessTokenValue: TOKEN, setAuth: () => Promise.resolve() },
      connect: () => void connects++,
    },
    getChannels: () => [...channels],
    removeChannel: (channel: ChannelLike) => Promise.resolve(channels.delete(channel)),
    channel(topic: string, options?: Parameters<SupabaseLike["channel"]>[1]) {
      const bindings: Record<string, unknown[]> = { broadcast: [] };
      const channel = {
        ...{ topic: `realtime:${topic}`, state: "joining", bindings },
        private: options?.config.private ?? false,
        on(_kind: string, _filter: unknown, listener: (update: { payload: unknown }) => void) {
          bindings.broadcast?.push(listener);
          hear = (payload) => listener({ payload });
        },
        subscribe: (listener: typeof tell) => tell = listener,
      } as unknown as ChannelLike & { state: string };
      opened.push(channel);
      channels.add(channel);
      return channel;
    },
  });
  return {
    ...{ bus, opened, channels },
    /** Changes the state of the channel. */
    become(state: "joined" | "errored", status: string) {
      for (const channel of opened) channel.state = state;
      tell(status);
    },
    hear: (payload: unknown) => hear(payload),
    connects: () => connects,
  };
}

Deno.test("a channel that is not joined within 12 looks is given up, and tried again later or when the page is looked at", async () => {
  using page = fakePage();
  const { bus, opened, channels, become, connects } = withRealtime();
  bus.put("1");
  const stop = bus.messenger.observe("1").subscribe(() => {});
  await page.advance(0);
  assertEquals([opened.length, channels.size], [1, 1]);
  for (let second = 0; second < 40; second++) {
    become("errored", "CHANNEL_ERROR");
    await page.advance(1_000);
  }
  assertEquals([opened.length, channels.size], [1, 0]);
  // supabase-js keeps listeners of each attempt.
  assertEquals([connects() > 0, connects() < 5], [true, true]);
  await page.advance(200_000);
  assertEquals(opened.length, 1);
  page.fire("focus");
  await page.advance(0);
  assertEquals([opened.length, channels.size], [2, 1]);
  await page.advance(400_000);
  assertEquals([opened.length, channels.size], [2, 0]);
  await page.advance(360_000);
  assertEquals(opened.length, 3);
  stop();
  await page.settle();
  assertEquals([channels.size, page.left()], [0, { timers: 0, listeners: 0 }]);
});

Deno.test("live updates stretch the polls of messages of their type to half a minute, until the channel breaks off", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { type: "Told" });
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  await page.advance(20_000);
  assertEquals([observer.get().connection, bus.looks().length > 3], ["live", true]);

  bus.put("1", { status: "processing", attempt: 1 });
  hear(bus.stored.get("1")?.state);
  assertEquals(observer.get().message?.status, "processing");
  const { length } = bus.looks();
  await page.advance(59_000);
  assertEquals(bus.looks().length - length, 1);

  become("errored", "CHANNEL_ERROR");
  await page.advance(6_000);
  assertEquals([observer.get().connection, bus.looks().length - length > 1], ["polling", true]);
  stop();
});

Deno.test("an update that comes late, or after a newer answer, changes nothing", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { type: "Told" });
  const old = bus.stored.get("1")?.state;
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  bus.put("1", { status: "processing", attempt: 1 });
  const running = bus.stored.get("1")?.state;
  await page.advance(10_000);
  hear(old);
  assertEquals(observer.get().message?.status, "processing");
  bus.put("1", { status: "handled" });
  hear(bus.stored.get("1")?.state);
  hear(running);
  assertEquals(observer.get().message?.status, "handled");
  stop();
});

Deno.test("an app's channel of the same name that is not private is not listened to, until it is gone", async () => {
  using page = fakePage();
  const { bus, opened, channels, become, hear } = withRealtime();
  bus.put("1", { type: "Told" });
  const channel = bus.supabase.channel as (topic: string) => ChannelLike;
  const publicChannel = channel("messenger:ann");
  // The app listens too, so that there is something to hear with.
  let heard = 0;
  publicChannel.on("broadcast", { event: "message" }, () => heard++);
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  hear({ ...bus.stored.get("1")?.state, status: "handled" });
  await page.advance(1_000);
  assertEquals([heard, publicChannel.bindings.broadcast?.length], [1, 1]);
  const { message, connection } = observer.get();
  assertEquals([message?.status, connection, opened.length], ["pending", "polling", 1]);
  channels.delete(publicChannel);
  await page.advance(10_000);
  assertEquals(opened.map((one) => one.private), [false, true]);
  stop();
});

Deno.test("a live update of a dead letter that was redriven is looked at soon", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { type: "Told", status: "failed", attempt: 3 });
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  await page.advance(2_000);
  bus.put("1", { status: "pending", attempt: 0 });
  hear(bus.stored.get("1")?.state);
  await page.advance(100);
  assertEquals(observer.get().message?.status, "pending");
  stop();
});

Deno.test("a result that an update leaves out is asked for before the end is told", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { type: "Told" });
  const end = bus.messenger.finished("1");
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  await page.advance(2_000);
  bus.put("1", { status: "handled", result: { url: "x" } });
  hear({ ...bus.stored.get("1")?.state, result: null });
  await page.advance(100);
  assertEquals((await end).result, { url: "x" });
});

Deno.test("a live update that a message is parked is taken, though the attempt is given back", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { status: "processing", attempt: 1 });
  const seen: unknown[] = [];
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {
    const { message } = observer.get();
    seen.push([message?.status, message?.steps?.current?.name]);
  });
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  seen.length = 0;
  const current = { name: "approved:7", kind: "wait", until: null } as const;
  hear(state("1", { steps: { current, done: ["ask"], number: 1 } }));
  hear(
    state("1", {
      status: "processing",
      attempt: 1,
      steps: { current: null, done: ["ask"], number: 2 },
    }),
  );
  assertEquals(seen, [
    ["pending", "approved:7"],
    ["processing", undefined],
  ]);
  stop();
});

Deno.test("a late update about the step of an earlier attempt is left out", async () => {
  using page = fakePage();
  const { bus, become, hear } = withRealtime();
  bus.put("1", { status: "processing", attempt: 2 });
  const observer = bus.messenger.observe("1");
  const stop = observer.subscribe(() => {});
  await page.advance(0);
  become("joined", "SUBSCRIBED");
  await page.advance(2_000);
  const told = (attempt: number, name: string) => {
    const current = { name, kind: "step", until: null } as const;
    const steps = { current, done: [], number: 0 };
    hear(state("1", { status: "processing", attempt, steps }));
    const { message } = observer.get();
    return [message?.attempt, message?.steps?.current?.name];
  };
  assertEquals(told(1, "charge"), [2, undefined]);
  assertEquals(told(2, "ship"), [2, "ship"]);
  stop();
});
