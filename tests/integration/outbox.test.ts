/** Messages through the outbox, a broker and back: their outcomes at home, each once. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { snooze } from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { Broker } from "../support/broker.ts";
import { brokered, outboxOf } from "../support/brokered.ts";
import { define, defineOnce, fail } from "../support/definitions.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("a dispatched message goes through the broker and is handled once", async (stack) => {
    const broker = new Broker();
    const seen: unknown[] = [];
    const T = define((payload, { envelope }) => {
      seen.push([payload, envelope.id, envelope.attempts]);
    });
    const { bus, tick } = await brokered(stack, broker, [T]);
    const id = await bus.dispatch(T, { n: 1 });
    assertEquals([await stack.count(), (await outboxOf(stack)).waiting], [0, [id]]);
    assertEquals(await tick(), { claimed: 1, handled: 1, retried: 0, failed: 0 });
    assertEquals(seen, [[{ n: 1 }, id, 1]]);
    assertEquals([broker.size, (await outboxOf(stack)).sent], [0, [id]]);
  });

  test("what a handler changes in its payload reaches neither its retry nor its dead letter", async (stack) => {
    const seen: unknown[] = [];
    const change = (payload: unknown) => {
      seen.push(structuredClone(payload));
      const own = payload as { to?: string; list: number[] };
      delete own.to;
      own.list.push(99);
    };
    const Retried = defineOnce((payload) => {
      change(payload);
      throw new Error("again");
    }, { type: "Retried", retry: { maxRetries: 1, delay: 0 } });
    const Durable = define(async (payload, ctx) => {
      change(payload);
      await ctx.step("one", () => 1);
      await ctx.sleep(1);
    }, { type: "Durable" });
    const { bus, tick } = await brokered(stack, new Broker(), [Retried, Durable], {
      routing: { "*": "events" },
    });
    const payload = { to: "a", list: [1] };
    await bus.dispatch(Retried, payload);
    await bus.dispatch(Durable, payload);
    await eventually(tick, () => seen.length >= 4);
    assertEquals(seen, Array(4).fill(payload));
    const dead = await stack.sql`select payload from public.messenger_failed_messages`;
    assertEquals(dead.map((one) => one.payload), [payload]);
  });

  test("a tick that claims no more at home asks for its successor while a broker's message still runs", async (stack) => {
    const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const T = define(() => (begun.resolve(), released.promise));
    const Home = define(() => {}, { type: "Home" });
    const { bus, worker, publish } = await brokered(stack, new Broker(), [T, Home], {
      config: readConfig(() => undefined, { tickMaxMessages: 20 }),
    });
    await bus.dispatch(T, {});
    await publish();
    await stack.sql`insert into public.messenger_messages (type, payload)
      select 'Home', '1' from generate_series(1, 100)`;
    // No tick that was asked for before counts as awake.
    await stack.sql`delete from public.messenger_ticks where started_at is null`;
    const run = worker.tick({ budgetMs: 60_000, caller: "left" });
    try {
      await begun.promise;
      await eventually(
        () => stack.sql`select from public.messenger_ticks t where t.started_at is null`,
        (asked) => asked.length === 1,
      );
      assert(await stack.count() > 0);
    } finally {
      released.resolve();
      await run;
    }
  });

  test("a message is followed from the outbox until it is handled", async (stack) => {
    const T = define(() => {});
    const { bus, tick } = await brokered(stack, new Broker(), [T]);
    const id = await bus.dispatch(T, { n: 1 });
    const follow = () => stack.client.functions.invoke(`dispatch/${id}`, { method: "GET" });
    assertEquals((await follow()).data?.status, "pending");
    await tick();
    assertEquals((await follow()).response?.status, 404);
  });

  test("metrics tell what waits for each transport", async (stack) => {
    const T = define(() => {});
    const { bus } = await brokered(stack, new Broker(), [T]);
    await bus.dispatchAll([
      { type: "T", payload: 1 },
      { type: "T", payload: 2, options: { delay: "1h" } },
    ]);
    const response = await stack.client.functions.invoke("messenger/metrics", { method: "GET" });
    const lines = String(response.data).split("\n");
    for (const [state, count] of [["due", 1], ["delayed", 1], ["refused", 0]]) {
      assert(
        lines.includes(`symphony_outbox_messages{transport="events",state="${state}"} ${count}`),
      );
    }
    assert(lines.includes(`symphony_transport_failures{transport="events"} 0`));
  });

  test("messages of home and of the broker are written by one call, all or none", async (stack) => {
    const T = define(() => {});
    const Home = define(() => {}, { type: "Home" });
    const { bus } = await brokered(stack, new Broker(), [T, Home]);
    const message = (definition: typeof T, options = {}) => ({
      type: definition.type,
      payload: 1,
      ...options,
    });
    const tooLate = { delay: "1h", ttl: "1m" };
    await assertRejects(() => bus.dispatchAll([message(Home), message(T, tooLate)]), RangeError);
    assertEquals([await stack.count(), (await outboxOf(stack)).waiting.length], [0, 0]);
    await bus.dispatchAll([message(Home), message(T)]);
    assertEquals([await stack.count(), (await outboxOf(stack)).waiting.length], [1, 1]);
  });

  test("a retry waits in the outbox and goes through the broker again, until its message is dead", async (stack) => {
    const broker = new Broker();
    const attempts: unknown[] = [];
    const T = define((_, { envelope: { attempts: attempt, retryCount } }) => {
      attempts.push([attempt, retryCount]);
      fail(0, undefined as never);
    }, { retry: { maxRetries: 2, delay: 1 } });
    const { bus, tick } = await brokered(stack, broker, [T]);
    const id = await bus.dispatch(T, {});
    const report = await tick();
    assertEquals(report, { claimed: 3, handled: 0, retried: 2, failed: 1 });
    assertEquals(attempts, [[1, 0], [2, 1], [3, 2]]);
    assertEquals((await outboxOf(stack)).publications, [1, 2, 3]);
    const [letter] = await stack.sql`
      select id::text, reason, jsonb_array_length(errors) as errors from public.messenger_failed_messages`;
    assertEquals({ ...letter }, { id, reason: "exhausted", errors: 3 });
    assertEquals(broker.size, 0);
  });

  test("a snoozed message comes again without a charge", async (stack) => {
    const runs: number[] = [];
    const T = define((_, { envelope: { attempts, snoozes } }) => {
      runs.push(attempts);
      return snoozes ? undefined : snooze("100ms");
    });
    const { bus, tick } = await brokered(stack, new Broker(), [T]);
    await bus.dispatch(T, {});
    assertEquals((await tick()).handled, 1);
    assertEquals(runs, [1, 1]);
  });

  test("a delayed message waits in the outbox, and not in the broker", async (stack) => {
    const broker = new Broker();
    const T = define(() => {});
    const { bus, tick } = await brokered(stack, broker, [T]);
    await bus.dispatch(T, {}, { delay: "1h" });
    assertEquals((await tick()).claimed, 0);
    assertEquals([broker.confirmed.length, (await outboxOf(stack)).waiting.length], [0, 1]);
  });

  test("what a handler dispatches is written with its outcome, at home and for the broker", async (stack) => {
    const broker = new Broker();
    const handled: string[] = [];
    const Home = define(() => void handled.push("home"), { type: "Home" });
    const Next = define(() => void handled.push("next"), { type: "Next" });
    const T = define(async (_, { dispatch, attempt }) => {
      await dispatch(Home, {});
      await dispatch(Next, {});
      if (attempt === 1) throw new Error("not yet");
    }, { retry: { delay: 1 } });
    const routing = { T: "events", Next: "events" };
    const { bus, tick } = await brokered(stack, broker, [T, Home, Next], { routing });
    await bus.dispatch(T, {});
    assertEquals((await tick()).handled, 3);
    assertEquals(handled.toSorted(), ["home", "next"]);
  });

  test("a copy that comes again is dropped, with its effects", async (stack) => {
    const broker = new Broker();
    let runs = 0;
    const Home = define(() => {}, { type: "Home" });
    const T = define(async (_, { dispatch }) => {
      runs++;
      await dispatch(Home, {});
    });
    const { bus, tick } = await brokered(stack, broker, [T, Home]);
    await bus.dispatch(T, {});
    // The outcome is written, and its acknowledgement is lost.
    const acknowledge = broker.acknowledge.bind(broker);
    broker.acknowledge = (deliveries) => {
      broker.loseConnection();
      broker.acknowledge = acknowledge;
      return acknowledge(deliveries);
    };
    assertEquals((await tick()).handled, 2);
    assertEquals([runs, broker.size], [1, 0]);
  });

  test("a message with durable steps becomes one of home, and the broker is rid of it", async (stack) => {
    const broker = new Broker();
    const steps: string[] = [];
    const T = define(async (_, ctx) => {
      await ctx.step("first", () => void steps.push("first"));
      await ctx.sleep("1s");
      await ctx.step("second", () => void steps.push("second"));
    });
    const { bus, tick } = await brokered(stack, broker, [T]);
    const id = await bus.dispatch(T, {});
    assertEquals((await tick(500)).claimed >= 0, true);
    assertEquals([steps, broker.size], [["first"], 0]);
    const [row] = await stack.sql`select id::text, status from public.messenger_messages`;
    assertEquals({ ...row }, { id, status: "pending" });
    await tick();
    assertEquals([steps, await stack.count()], [["first", "second"], 0]);
  });

  test("progress of a broker's message is told, and its result kept", async (stack) => {
    const T = define(async (_, { progress }) => {
      progress(0.5, "half");
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { done: true };
    }, { keep: { for: "1h", result: true } });
    const { bus, tick } = await brokered(stack, new Broker(), [T]);
    const id = await bus.dispatch(T, {});
    assertEquals((await tick()).handled, 1);
    const [kept] = await stack.sql`
      select id::text, result from public.messenger_handled_messages`;
    assertEquals({ ...kept }, { id, result: { done: true } });
  });

  test("a message that is too large for the broker is a dead letter, and holds up no other", async (stack) => {
    const broker = new Broker();
    const T = define(() => {});
    const { bus, tick } = await brokered(stack, broker, [T]);
    const large = { text: "x".repeat(broker.capabilities.maxBytes - 100) };
    await bus.dispatchAll([{ type: "T", payload: large }, { type: "T", payload: {} }]);
    assertEquals((await tick()).handled, 1);
    const [letter] = await stack.sql`
      select reason, error, stamps ->> 'transport' as transport from public.messenger_failed_messages`;
    assertEquals([letter?.reason, letter?.transport], ["unrecoverable", "events"]);
    assert(/^has \d+ bytes$/.test(letter?.error));
  });

  test("a delivery that no installation has written becomes a dead letter", async (stack) => {
    const broker = new Broker();
    const T = defineOnce(() => {});
    const { tick } = await brokered(stack, broker, [T]);
    const foreign = { id: "x", publication: 1, type: "T", queue: "default", priority: 0 };
    await broker.publish([{ ...foreign, groupKey: null, body: "{", bytes: 1 }]);
    await tick();
    const [letter] = await stack.sql`
      select type, reason, payload, error from public.messenger_failed_messages`;
    assertEquals({ ...letter }, {
      ...{ type: "unreadable", reason: "invalid", payload: "{" },
      error: "id: has to be a number of up to 18 digits",
    });
    assertEquals(broker.size, 0);
  });

  test("a message of another installation runs without that one's batch, schedule and user", async (stack) => {
    const broker = new Broker();
    const seen: unknown[] = [];
    const T = define((payload, { envelope: { stamps } }) => void seen.push([payload, stamps]));
    const { bus, tick } = await brokered(stack, broker, [T]);
    const batch = await bus.dispatchBatch([{ type: "T", payload: 1 }], { name: "ours" });
    const body = {
      origin: "5f3c6e0a-58f4-4f43-9c3e-6b1a8a0e2d11",
      ...{ payload: 2, createdAt: new Date().toISOString(), repeated: false },
      stamps: { batch: { id: batch, nth: 1 }, user: { id: "ada" }, live: true, mine: 7 },
    };
    await broker.publish([{
      ...{ id: "5", publication: 1, type: "T", queue: "default", priority: 0, groupKey: null },
      ...{ body: JSON.stringify(body), bytes: 1 },
    }]);
    await tick(0);
    const [counts] = await stack.sql`
      select messenger.batch_state(b) ->> 'handled' as handled from public.messenger_batches b`;
    await tick();
    assertEquals(seen.find((one) => (one as unknown[])[0] === 2), [2, {
      mine: 7,
      origin: { installation: body.origin, id: "5" },
    }]);
    assertEquals(counts?.handled, "0");
    const ended = await stack.sql`
      select messenger.batch_state(b) ->> 'handled' as handled from public.messenger_batches b`;
    assertEquals(ended[0]?.handled, "1");
  });

  test("a transport with outbox: false gets a message directly, and its retry through the outbox", async (stack) => {
    const broker = new Broker({ outbox: false });
    const T = define((_, { attempt }) => {
      if (attempt === 1) throw new Error("not yet");
    }, { retry: { delay: 1 } });
    const { bus, tick } = await brokered(stack, broker, [T]);
    await bus.dispatch(T, {});
    assertEquals([broker.size, (await outboxOf(stack)).waiting], [1, []]);
    assertEquals(await tick(), { claimed: 2, handled: 1, retried: 1, failed: 0 });
    assertEquals((await outboxOf(stack)).publications, [2]);
  });

  test("a batch whose members go through the broker is finished once all of them have ended", async (stack) => {
    const T = defineOnce((payload) => {
      if (payload === 2) throw new Error("no luck");
    });
    const ended: unknown[] = [];
    const Ended = define((payload) => void ended.push(payload), { type: "Ended" });
    const { bus, tick } = await brokered(stack, new Broker(), [T, Ended]);
    const members = [1, 2, 3].map((payload) => ({ type: "T", payload }));
    const id = await bus.dispatchBatch(members, {
      name: "import",
      onFinished: { type: "Ended", payload: "all" },
    });
    await tick();
    const [batch] = await stack.sql`
      select total::int, handled::int, failed::int from public.messenger_batches where id = ${id}`;
    assertEquals([{ ...batch }, ended], [{ total: 3, handled: 2, failed: 1 }, ["all"]]);
  });

  test("a cancelled batch makes dead letters of its members that wait in the outbox", async (stack) => {
    const T = define(() => {});
    const { bus, tick } = await brokered(stack, new Broker(), [T]);
    const members = [1, 2].map((payload) => ({ type: "T", payload }));
    const id = await bus.dispatchBatch(members, { name: "import" });
    await stack.sql`select public.messenger_cancel_batch(${id})`;
    assertEquals((await outboxOf(stack)).waiting, []);
    assertEquals((await tick()).claimed, 0);
    const [batch] = await stack.sql`
      select total::int, failed::int from public.messenger_batches where id = ${id}`;
    assertEquals({ ...batch }, { total: 2, failed: 2 });
  });

  test("a schedule's message goes through the broker, and ends the run of its schedule", async (stack) => {
    const T = define(() => {});
    const { tick } = await brokered(stack, new Broker(), [T]);
    await stack.sql`select public.messenger_schedule_once('T', '{}', now() + interval '1 ms')`;
    assertEquals((await tick()).handled, 1);
    const runs = await stack.sql<{ outcome: string }[]>`
      select outcome from public.messenger_schedule_runs limit 1`;
    assertEquals(runs.map(({ outcome }) => outcome), ["handled"]);
  });

  /** Fills the outbox, as its last measurement tells. */
  const setWaiting = (stack: TestStack, bytes: number) =>
    stack.sql`
      insert into messenger.outbox_state (unsent_bytes, table_bytes)
      values (${bytes}, pg_table_size('messenger.outbox'))
      on conflict (singleton) do update
      set unsent_bytes = excluded.unsent_bytes, table_bytes = excluded.table_bytes`;

  test("a full outbox puts off the schedules that need it, and no others", async (stack) => {
    const seen: string[] = [];
    const T = define((_, { envelope }) => void seen.push(envelope.type));
    const Home = define((_, { envelope }) => void seen.push(envelope.type), { type: "Home" });
    const { tick } = await brokered(stack, new Broker(), [T, Home]);
    await stack.sql`truncate public.messenger_schedules, public.messenger_schedule_runs`;
    await setWaiting(stack, 2 ** 31);
    for (const type of ["T", "Home", "T"]) {
      await stack
        .sql`select public.messenger_schedule_once(${type}, '{}', now() + interval '1 ms')`;
    }
    const length = async () => (await tick(), seen.length);
    await eventually(length, (count) => count > 0);
    assertEquals(seen, ["Home"]);
    const waiting = await stack.sql`
      select enabled, failing_since, leased_until > now() as put_off from public.messenger_schedules
      where message_type = 'T'`;
    const putOff = { enabled: true, failing_since: null, put_off: true };
    assertEquals([...waiting], [putOff, putOff]);
    const [runs] = await stack.sql`
      select count(*)::int from public.messenger_schedule_runs r
      join public.messenger_schedules s on s.id = r.schedule_id where s.message_type = 'T'`;
    assertEquals(runs?.count, 0);

    await setWaiting(stack, 0);
    await stack.sql`update public.messenger_schedules set leased_until = null`;
    await eventually(length, (count) => count >= 3);
    assertEquals(seen, ["Home", "T", "T"]);
  });

  test("a message whose dispatch a full outbox refuses runs again later, and is charged no retry", async (stack) => {
    const seen: string[] = [];
    const T = define(() => void seen.push("T"));
    const Home = define(async (_, ctx) => {
      seen.push("Home");
      await ctx.dispatch(T, {});
    }, { type: "Home", retry: { maxRetries: 0 } });
    const { bus, tick } = await brokered(stack, new Broker(), [T, Home]);
    await setWaiting(stack, 2 ** 31);
    const id = await bus.dispatch(Home, {});
    assertEquals((await tick()).retried, 1);
    const [row] = await stack.sql`
      select retry_count, available_at > now() + interval '20 s' as later, errors -> 0 ->> 'message' as error
      from public.messenger_messages where id = ${id}`;
    assertEquals([row?.retry_count, row?.later, seen], [0, true, ["Home"]]);
    assert(String(row?.error).includes("outbox: holds some"), row?.error);

    await setWaiting(stack, 0);
    await stack.sql`update public.messenger_messages set available_at = now()`;
    await eventually(async () => (await tick(), seen.length), (count) => count >= 3);
    assertEquals(seen, ["Home", "Home", "T"]);
  });
});
