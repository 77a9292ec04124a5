/** Another Supabase project as a transport: two stacks, of which the first one sends and the second one handles. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  supabaseProject,
  TransportError,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { writeBody } from "../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import type { EngineMessage } from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { lossyWay } from "../support/lossy.ts";
import { eventually, startTestStack, type TestStack } from "../support/stack.ts";
import { troubledApi } from "../support/troubled_api.ts";

let home: TestStack;
let other: TestStack;

Deno.test.beforeAll(async () => {
  [home, other] = await Promise.all([startTestStack(), startTestStack()]);
});
Deno.test.afterAll(async () => {
  await Promise.all([home.stop(), other.stop()]);
});
Deno.test.beforeEach(async () => {
  await Promise.all([home.clear(), other.clear()]);
});

const Note = defineMessage({
  type: "Note",
  schema: z.object({ text: z.string() }),
  transport: "eu",
});
const log = createLogger({ level: "silent" });
const never = new AbortController().signal;
const origin = crypto.randomUUID();

function messengerTo({ url, key }: { url?: string; key?: string } = {}) {
  const eu = supabaseProject({
    ...{ url: url ?? other.url, key: key ?? other.secretKey, outbox: false },
    timeoutMs: 5_000,
  });
  const messenger = createMessenger({
    ...{ supabase: home.client, messages: [Note], transports: { eu }, tokenSecrets: [] },
  });
  return { eu, bus: messenger.bus };
}

/** A message as the relay publishes it. */
function published(id: string, more: Partial<EngineMessage> = {}, payload: unknown = { text: id }) {
  const body = writeBody({ origin, payload, createdAt: "2026-01-01T00:00:00.000Z" });
  const message = { id, publication: 1, type: "Note", queue: "default", priority: 0 };
  return { ...message, groupKey: null, body, bytes: body.length, ...more };
}

const written = async () => {
  const rows = await other.sql<{ type: string; payload: { text: string }; stamps: unknown }[]>`
    select type, payload, stamps from public.messenger_messages order by id`;
  return [...rows];
};

Deno.test("a message of another project is handled by that project's tick, with the place it came from", async () => {
  const { bus } = messengerTo();
  const options = { groupKey: "team", stamps: { mine: 1, user: { id: "u", isAnonymous: false } } };
  const id = await bus.dispatch(Note, { text: "hello" }, options);
  assertEquals(await home.count(), 0);
  const [row] = await written();
  const { installation } = await installationOf(home);
  assertEquals(row?.stamps, { mine: 1, origin: { installation, id } });
  assertEquals((await other.tick()).messages.handled, 1);
  assertEquals((await other.effects()).map(({ payload, context }) => [payload, context.user]), [
    [{ text: "hello" }, null],
  ]);
});

async function installationOf({ sql }: TestStack): Promise<{ installation: string }> {
  const [row] = await sql<[{ installation: string }]>`
    select id::text as installation from messenger.installation`;
  return row;
}

Deno.test("a publication that is repeated is not written twice, and a later one is", async () => {
  const { eu } = messengerTo();
  const messages = ["1", "2"].map((id) => published(id));
  for (let time = 1; time <= 2; time++) {
    const fates = await eu.publish(messages, never);
    assertEquals(fates.map(({ kind }) => kind), ["confirmed", "confirmed"]);
  }
  assertEquals((await written()).map(({ payload }) => payload.text), ["1", "2"]);
  await eu.publish([published("1", { publication: 2 })], never);
  assertEquals((await written()).map(({ payload }) => payload.text), ["1", "2", "1"]);
});

Deno.test("a message whose answer was lost is unknown, and published again it is there once", async () => {
  const way = lossyWay(other);
  try {
    const { eu } = messengerTo({ url: way.url });
    way.lose(1);
    const [lost] = await eu.publish([published("1")], never);
    assertEquals([lost?.kind, way.left()], ["unknown", 0]);
    assertEquals((await written()).length, 1);
    const [again] = await eu.publish([published("1")], never);
    assertEquals(again?.kind, "confirmed");
    assertEquals((await written()).length, 1);
  } finally {
    way.stop();
  }
});

Deno.test("a message that the other project refuses keeps no other back", async () => {
  const { eu } = messengerTo();
  const fates = await eu.publish([
    published("1"),
    published("2", { priority: 5000 }),
    published("3", {}, { text: "x".repeat(9_000_000) }),
    published("4"),
    published("5", { body: "{}" }),
  ], never);
  assertEquals(fates.map((fate) => [fate.kind, "tooLarge" in fate]), [
    ["confirmed", false],
    ["refused", false],
    ["refused", true],
    ["confirmed", false],
    ["refused", false],
  ]);
  assertEquals((await written()).map(({ payload }) => payload.text), ["1", "4"]);
});

Deno.test("while the other project cannot be reached, or refuses the key, a dispatch fails and may be repeated", async () => {
  for (
    const wrong of [{ url: "http://127.0.0.1:9" }, { key: "sb_secret_of_nobody" }, { key: "" }]
  ) {
    const { bus } = messengerTo(wrong);
    const dispatch = () => bus.dispatch(Note, { text: "a" });
    const error = await assertRejects(dispatch, TransportError, "send: eu: ");
    assertEquals(error.retryable, true);
  }
  assertEquals(await written(), []);
});

Deno.test("doctor is told of a wrong address, a wrong key, and types that the other project does not know", async () => {
  const problemsOf = async (options: { url?: string; key?: string }, types = ["Note"]) =>
    (await messengerTo(options).eu.check(types)).map(({ name }) => name);
  assertEquals(await problemsOf({}), []);
  assertEquals(await problemsOf({}, ["Note", "Unheard"]), ["type Unheard"]);
  assertEquals(await problemsOf({ url: "http://127.0.0.1:9" }), ["url"]);
  assertEquals(await problemsOf({ key: "sb_secret_of_nobody" }), ["key"]);
  assertEquals(await problemsOf({ key: "" }), ["key"]);
  assertEquals(await problemsOf({ url: "" }), ["url"]);
  const [unheard] = await messengerTo().eu.check(["Unheard"]);
  assertMatch(unheard?.advice ?? "", /dead letters of that project/);
});

Deno.test("what a transaction dispatches arrives once it has committed, in order, also where the other project was away", async () => {
  await using way = troubledApi(other);
  const eu = supabaseProject({ url: way.url, key: other.secretKey });
  const messenger = createMessenger({
    ...{ supabase: home.client, messages: [Note], transports: { eu }, tokenSecrets: [], log },
  });
  const worker = createWorker(messenger);
  const tick = () => worker.tick({ budgetMs: 500, caller: "waits" });
  // SQL knows the route from the first tick on.
  await tick();
  way.meet(() => {
    throw new Error("away");
  });
  const dispatch = (text: string, end: "commit" | "rollback") =>
    home.sql.begin(async (sql) => {
      await sql`select public.messenger_dispatch('Note', ${sql.json({ text })}, group_key => 'g')`;
      if (end === "rollback") throw new Error("rolled back");
    }).catch((error) => assertEquals(error.message, "rolled back"));
  await dispatch("first", "commit");
  await dispatch("never", "rollback");
  await tick();
  await messenger.bus.dispatch(Note, { text: "second" }, { groupKey: "g" });
  assertEquals([await waiting(), await written()], [2, []]);
  way.meet(null);
  await eventually(async () => (await tick(), await waiting()), (left) => left === 0);
  assertEquals((await written()).map(({ payload }) => payload.text), ["first", "second"]);
});

Deno.test("the first tick of a deploy publishes what was dispatched before it, through a transport that it declares", async () => {
  const fresh = supabaseProject({ url: other.url, key: other.secretKey });
  const messenger = createMessenger({
    ...{ supabase: home.client, messages: [Note], tokenSecrets: [], log },
    transports: { eu: fresh, fresh },
  });
  await messenger.bus.dispatch(Note, { text: "early" }, { transport: "fresh" });
  await createWorker(messenger).tick({ budgetMs: 2_000, caller: "waits" });
  assertEquals([await waiting(), (await written()).length], [0, 1]);
});

Deno.test("a publication whose answer was lost is published again by the relay, and arrives once", async () => {
  const way = lossyWay(other);
  try {
    const eu = supabaseProject({ url: way.url, key: other.secretKey });
    const messenger = createMessenger({
      ...{ supabase: home.client, messages: [Note], transports: { eu }, tokenSecrets: [], log },
    });
    const worker = createWorker(messenger);
    await messenger.bus.dispatch(Note, { text: "once" });
    way.lose(1);
    const tick = () => worker.tick({ budgetMs: 500, caller: "waits" });
    await eventually(async () => (await tick(), await waiting()), (left) => left === 0);
    assertEquals([way.left(), (await written()).length], [0, 1]);
  } finally {
    way.stop();
  }
});

/** How many messages wait in home's outbox. */
async function waiting(): Promise<number> {
  const [row] = await home.sql<[{ n: number }]>`
    select count(*)::int as n from messenger.outbox where sent_at is null`;
  return row.n;
}

Deno.test("a message stays in the project to which it was sent, whatever routes that one has", async () => {
  const { eu } = messengerTo();
  await other.sql`insert into messenger.transports (name, received) values ('back', true)`;
  await other.sql`insert into messenger.routes (pattern, transport) values ('Note', 'back')`;
  try {
    const fates = await eu.publish([published("1")], never);
    assertEquals(fates.map(({ kind }) => kind), ["confirmed"]);
    assertEquals((await written()).length, 1);
  } finally {
    await other.sql`delete from messenger.routes`;
    await other.sql`delete from messenger.transports`;
  }
});
