/** The worker's round trip: what it repeats, what it splits, and what it gives up. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type Transport,
  TransportError,
} from "../../../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";
import type { Claim } from "../../../../supabase/functions/_shared/symphony/transport/receiver.ts";
import { settleAndClaim } from "../../../../supabase/functions/_shared/symphony/worker/settle/settle-and-claim.ts";

const LEASE_MS = 60_000;

interface Call {
  readonly settles: number;
  readonly claims: number | null;
}

/** A transport in memory with messages that are claimed; each call passes `refuse` first. */
async function setup(
  messages: number,
  refuse: (settlements: readonly Settlement[], claims: number, call: number) => unknown,
  outcome: Settlement["outcome"] = { kind: "handled" },
) {
  const memory = new InMemoryTransport();
  await memory.send(Array.from({ length: messages }, (_, n) => ({ type: "T", payload: n + 1 })));
  const claim = { token: crypto.randomUUID(), maxMessages: messages, leaseMs: LEASE_MS };
  const settlements = (await memory.claim(claim)).messages
    .map(({ id, leaseToken }): Settlement => ({ id, leaseToken, outcome }));
  const calls: Call[] = [];
  const lines: Record<string, unknown>[] = [];
  const guard = (settles: readonly Settlement[], claims: number | null) => {
    calls.push({ settles: settles.length, claims });
    const error = refuse(settles, claims ?? 0, calls.length);
    if (error) throw error;
  };
  const transport: Transport = {
    ...memory,
    send: memory.send.bind(memory),
    close: memory.close.bind(memory),
    reserveIds: memory.reserveIds.bind(memory),
    effect: memory.effect.bind(memory),
    extendLeases: memory.extendLeases.bind(memory),
    reportProgress: memory.reportProgress.bind(memory),
    cancel: memory.cancel.bind(memory),
    loadSteps: memory.loadSteps.bind(memory),
    saveSteps: memory.saveSteps.bind(memory),
    writeBatch: memory.writeBatch.bind(memory),
    foldBatches: memory.foldBatches.bind(memory),
    followBatch: memory.followBatch.bind(memory),
    cancelBatch: memory.cancelBatch.bind(memory),
    emit: memory.emit.bind(memory),
    readEvents: memory.readEvents.bind(memory),
    batchResults: memory.batchResults.bind(memory),
    settle: async (some) => (guard(some, null), await memory.settle(some)),
    claim: async (request) => (guard([], request.maxMessages), await memory.claim(request)),
    settleAndClaim: async (some, request) => (
      guard(some, request.maxMessages), await memory.settleAndClaim(some, request)
    ),
  };
  const log = createLogger({ level: "debug", write: (_, line) => lines.push(JSON.parse(line)) });
  let tries = 100;
  const deps = { transport, log, keepTrying: () => tries-- > 0 };
  return { memory, settlements, calls, lines, deps, endLeases: () => tries = 0 };
}

const request = { token: crypto.randomUUID(), maxMessages: 64, leaseMs: LEASE_MS };
const data = () => new TransportError("settle", "refused", false, { fault: "data" });
const tooMuch = () =>
  new TransportError("settle", "statement timeout", true, { fault: "too_much" });
const passing = () => new TransportError("settle", "schema cache", true, { fault: "passing" });

/** A passing fault of one row, raised by a trigger of the project's own, as SQL hands it on. */
const forNow = () =>
  new TransportError("settle", "not now", true, {
    cause: { code: "PT503", details: "08006" },
    fault: "passing",
  });

Deno.test("an outcome that is refused for now is found by halves, and leaves its call for later", async () => {
  const { memory, settlements, calls, deps } = await setup(
    64,
    (some) => some.some(({ id }) => id === "37") ? forNow() : null,
  );
  const late: string[] = [];
  const later = ({ id }: Settlement) => late.push(id) > 0;
  const { settled, claim } = await settleAndClaim(settlements, request, { ...deps, later });
  assertEquals([settled.length, late, memory.messages.map(({ id }) => id)], [63, ["37"], ["37"]]);
  assertEquals(claim?.messages, []);
  assert(calls.length <= 15, `${calls.length} calls`);
});

Deno.test("a handled message whose outcome is refused for now, and may not wait, runs no handler again", async () => {
  const { memory, settlements, deps } = await setup(
    4,
    (some) =>
      some.some(({ id, outcome }) => id === "2" && outcome.kind === "handled") ? forNow() : null,
  );
  const { settled } = await settleAndClaim(settlements, null, deps);
  assertEquals([settled.length, memory.messages.map(({ stamps }) => stamps.ended)], [4, [
    "handled",
  ]]);
});

Deno.test("a message that is to run again, and whose outcome is refused for now, comes again at its lease's end", async () => {
  const { memory, settlements, deps, lines } = await setup(
    4,
    (some) => some.some(({ id }) => id === "2") ? forNow() : null,
    { kind: "snoozed", delayMs: 0 },
  );
  const { settled } = await settleAndClaim(settlements, null, deps);
  assertEquals([settled.length, memory.messages.length, memory.failed], [3, 4, []]);
  assert(lines.some(({ event, id }) => event === "settle_refused" && id === "2"));
});

Deno.test("outcomes that are refused for now one and all wait together, with a few calls each time", async () => {
  const { memory, settlements, calls, deps } = await setup(
    64,
    (_some, _claims, call) => call <= 25 ? forNow() : null,
  );
  const later = () => true;
  const { settled } = await settleAndClaim(settlements, null, { ...deps, later });
  assertEquals([settled.length, memory.messages], [64, []]);
  assert(calls.length <= 32, `${calls.length} calls`);
  assertEquals(calls.filter(({ settles }) => settles === 64).length >= 2, true);
});

Deno.test("an outcome that is refused is found by halves, and its message is dead with the reason", async () => {
  const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [] } as const;
  const { memory, settlements, calls, deps, lines } = await setup(
    64,
    (some) =>
      some.some(({ id, outcome }) => id === "37" && outcome.kind === "retry") ? data() : null,
    retry,
  );
  const { settled } = await settleAndClaim(settlements, null, deps);
  assertEquals(settled.length, 64);
  assertEquals(memory.failed.map(({ envelope, reason }) => [envelope.id, reason]), [
    ["37", "unrecoverable"],
  ]);
  assert(
    memory.failed[0]?.envelope.errors[0]?.message.includes("could not be written: settle: refused"),
  );
  assert(calls.length <= 14, `${calls.length} calls`);
  assert(lines.some(({ event, id }) => event === "settle_refused" && id === "37"));
});

Deno.test("a message whose outcome is refused in its smallest form too keeps its lease until it runs out", async () => {
  const { memory, settlements, calls, deps, lines } = await setup(
    8,
    (some) => some.some(({ id }) => id === "3") ? data() : null,
    { kind: "dead", reason: "exhausted", errors: [] },
  );
  const { settled } = await settleAndClaim(settlements, null, deps);
  assertEquals([settled.length, memory.messages.map(({ id }) => id)], [7, ["3"]]);
  assert(calls.length <= 9, `${calls.length} calls`);
  assert(lines.some(({ event, id }) => event === "settle_given_up" && id === "3"));
});

Deno.test("what is handled stays handled where only its memory is refused", async () => {
  const { memory, settlements, deps } = await setup(
    2,
    (some) => some.some(({ outcome }) => "keepMs" in outcome) ? data() : null,
    { kind: "handled", keepMs: 1e300 },
  );
  await settleAndClaim(settlements, null, deps);
  assertEquals([memory.messages, memory.failed], [[], []]);
});

Deno.test("a settle call that takes too long is split, and each part is as large as it may be", async () => {
  const { memory, settlements, calls, deps } = await setup(
    100,
    (some) => some.length > 30 ? tooMuch() : null,
  );
  const { settled, claim } = await settleAndClaim(settlements, request, deps);
  assertEquals([settled.length, memory.messages.length], [100, 0]);
  assertEquals(claim?.messages, []);
  assertEquals(calls.map(({ settles }) => settles), [100, 50, 25, 25, 50, 25, 25, 0]);
});

Deno.test("a message alone that takes too long is reported, and not repeated for ever", async () => {
  const { memory, settlements, calls, deps, lines } = await setup(
    4,
    (some) => some.some(({ id }) => id === "2") ? tooMuch() : null,
  );
  const { settled } = await settleAndClaim(settlements, null, deps);
  assertEquals([settled.length, memory.messages.map(({ id }) => id)], [3, ["2"]]);
  assert(calls.length <= 6, `${calls.length} calls`);
  assert(lines.some(({ event, id }) => event === "settle_refused" && id === "2"));
});

Deno.test("a value that is no JSON hurts its own message only", async () => {
  const { memory, settlements, deps } = await setup(
    8,
    (some) =>
      some.some(({ id, outcome }) => id === "5" && outcome.kind === "snoozed")
        ? new TypeError("Do not know how to serialize a BigInt")
        : null,
    { kind: "snoozed", delayMs: 0 },
  );
  await settleAndClaim(settlements, null, deps);
  assertEquals(memory.failed.map(({ envelope }) => envelope.id), ["5"]);
  assertEquals(memory.messages.length, 7);
});

Deno.test("an outcome waits, whole, until a passing fault is over", async () => {
  const { memory, settlements, calls, deps } = await setup(
    8,
    (_some, _claims, call) => call <= 2 ? passing() : null,
  );
  await settleAndClaim(settlements, null, deps);
  assertEquals([memory.messages, calls.map(({ settles }) => settles)], [[], [8, 8, 8]]);
});

Deno.test("a call that is refused as such is not taken apart; it ends with the leases", async () => {
  const { settlements, calls, deps, endLeases } = await setup(8, (_some, _claims, call) => {
    if (call === 2) endLeases();
    return new TransportError("settle", "permission denied", false, { fault: "refused" });
  });
  await assertRejects(
    () => settleAndClaim(settlements, null, deps),
    TransportError,
    "permission denied",
  );
  assertEquals(calls.map(({ settles }) => settles), [8, 8]);
});

Deno.test("a claim that takes too much asks for half as many", async () => {
  const { memory, calls, deps } = await setup(0, (_some, claims) => claims > 10 ? tooMuch() : null);
  await memory.send(Array.from({ length: 64 }, () => ({ type: "T", payload: 1 })));
  const { claim } = await settleAndClaim([], request, deps);
  assertEquals([claim?.messages.length, calls.map(({ claims }) => claims)], [8, [64, 32, 16, 8]]);
});

Deno.test("a message that cannot be read is handed out as crashed, without being read", async () => {
  let unreadable = true;
  const { memory, deps } = await setup(0, () => null);
  await memory.send([{ type: "T", payload: 1 }, { type: "T", payload: 2 }]);
  const claim = deps.transport.claim;
  deps.transport.claim = (asked) =>
    unreadable && !asked.unread
      ? Promise.reject(new TransportError("claim", "missing chunk", false, { fault: "data" }))
      : claim(asked);
  const { claim: first } = await settleAndClaim([], request, deps);
  assertEquals([first?.messages, first?.crashed.map(({ id, payload }) => [id, payload])], [[], [
    ["1", null],
  ]]);
  unreadable = false;
  const { claim: second } = await settleAndClaim(
    [],
    { ...request, token: crypto.randomUUID() },
    deps,
  );
  assertEquals(second?.messages.map(({ id }: Claim["messages"][number]) => id), ["2"]);
});

Deno.test("what is settled stays settled when the claim beside it is refused", async () => {
  const { memory, settlements, deps } = await setup(
    4,
    (_some, claims) => claims > 1 ? data() : null,
  );
  await memory.send([{ type: "T", payload: "next" }]);
  const { settled, claim } = await settleAndClaim(settlements, request, deps);
  assertEquals([settled.length, claim?.messages.length], [4, 1]);
});

Deno.test("a claim that is made apart from refused outcomes gives what the call before may have taken", async () => {
  const { settlements, deps } = await setup(
    2,
    (some, claims) => some.length === 2 && claims > 0 ? data() : null,
  );
  const repeated: (boolean | undefined)[] = [];
  const transport: Transport = {
    ...deps.transport,
    claim: (request) => (repeated.push(request.repeated), deps.transport.claim(request)),
  };
  await settleAndClaim(settlements, request, { ...deps, transport });
  assertEquals(repeated, [true]);
});
