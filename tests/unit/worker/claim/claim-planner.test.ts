/** The size and time of a worker's next claim follow from the results of its claims. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { defineMessage } from "../../../../supabase/functions/_shared/symphony/index.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../../../supabase/functions/_shared/symphony/transport/receiver.ts";
import {
  ClaimPlanner,
  untilHeadScan,
} from "../../../../supabase/functions/_shared/symphony/worker/claim/claim-planner.ts";
import { envelopeAt } from "../../../support/envelope.ts";
import { workbench } from "../../../support/worker.ts";

const capacity = { isEmpty: true, claims: false, room: 10, worthwhile: 1, slots: 10 };
const nothing: Claim = {
  messages: [],
  crashed: [],
  lastKeys: { default: "key" },
  quarantinedDue: false,
  nextDueMs: null,
  leaseMs: 60_000,
  lockMs: 0,
};

/** Whether a worker whose first head scan had this lock time scans the heads of its queues after `ms`. */
function scansHead(lockMs: number, ms: number): boolean {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const now = performance.now();
  const first = planner.request(now, capacity, true);
  if (!first) throw new Error("no first claim");
  planner.learn({ ...nothing, lockMs }, first);
  return planner.request(now + ms, capacity, true)?.lastKeys === undefined;
}

Deno.test("a drain scans the heads of its queues once a second", () => {
  assertEquals([scansHead(5, 900), scansHead(5, 1_100)], [false, true]);
});

Deno.test("head scans that take long take a hundredth of the time, and come every 30 s at least", () => {
  assertEquals([80, 10_000].map(untilHeadScan), [8_000, 30_000]);
  assertEquals([scansHead(80, 7_500), scansHead(80, 8_500)], [false, true]);
});

Deno.test("after a claim that gave all there was, one claim at a time is under way", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const now = performance.now();
  const asksWhile = (claims: boolean) =>
    planner.request(now, { ...capacity, claims }, true) !== null;
  const first = planner.request(now, capacity, true);
  if (!first) throw new Error("no first claim");
  assertEquals(asksWhile(true), true);
  planner.learn(nothing, first);
  assertEquals([asksWhile(true), asksWhile(false)], [false, true]);
});

Deno.test("a quarantined message that another session holds is not asked for again at once", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const held = { ...nothing, quarantinedDue: true, nextDueMs: 0 };
  const asked: (boolean | undefined)[] = [];
  for (let call = 0; call < 10; call++) {
    const request = planner.request(performance.now(), capacity, false);
    if (request === null) break;
    asked.push(request.quarantined);
    planner.learn(held, request);
  }
  assertEquals(asked, [false, true, false], "once by itself, then it waits for the next poll");
  const later = planner.request(performance.now() + 60, capacity, false);
  assertEquals(later?.quarantined, false, "which takes what is due besides");
});

Deno.test("a quarantined message is asked for when the worker holds nothing, and by itself", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const first = planner.request(performance.now(), capacity, false);
  if (!first) throw new Error("no first claim");
  planner.learn({ ...nothing, quarantinedDue: true }, first);
  const ask = (state: Partial<typeof capacity>) =>
    planner.request(performance.now(), { ...capacity, ...state }, true);
  assertEquals([ask({ isEmpty: false }), ask({ claims: true })], [null, null]);
  const request = ask({});
  assertEquals([request?.quarantined, request?.maxMessages], [true, 1]);
});

Deno.test("the result of an earlier claim does not put off a poll that was asked for since", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const first = planner.request(performance.now(), capacity, false);
  if (!first) throw new Error("no first claim");
  planner.pollNow();
  planner.learn(nothing, first);
  assertEquals(planner.done, false);
  const second = planner.request(performance.now(), capacity, false);
  if (!second) throw new Error("no second claim");
  planner.learn(nothing, second);
  assertEquals(planner.done, true);
});

Deno.test("if two claims return in the opposite order, the later claim decides when to poll", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const look = () => {
    const request = planner.request(performance.now(), capacity, false);
    if (!request) throw new Error("no look");
    return request;
  };
  const [first, second] = [look(), look()];
  planner.learn({ ...nothing, nextDueMs: 1_000 }, second);
  planner.learn(nothing, first);
  assertEquals(planner.done, false);
});

Deno.test("a run handles what its schedules made while its first claim was on its way", async () => {
  const define = defineMessage({ type: "T", schema: z.unknown(), handler: () => {} });
  const made = Promise.withResolvers<void>();
  const { bus, work } = workbench([define], {
    wrap: (memory) => {
      const claim = memory.claim.bind(memory);
      return Object.assign(memory, {
        claim: async (request: ClaimRequest) => {
          const answer = await claim(request);
          await made.promise;
          return answer;
        },
      });
    },
  });
  const schedules = {
    dueNow: true,
    process: async () => {
      await bus.dispatch(define, 1);
      // The claim's answer comes after the run knows of the message.
      setTimeout(made.resolve);
      return 1;
    },
  };
  assertEquals((await work({ schedules })).handled, 1);
});

Deno.test("a worker of another transport looks again beside a slow handler, and ends when it is empty", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, waitMs: 1_000, endsAt: Infinity });
  const now = performance.now();
  const ask = (afterMs: number, isEmpty: boolean) =>
    planner.request(now + afterMs, { ...capacity, isEmpty }, false);
  const first = ask(0, true);
  if (!first) throw new Error("no first claim");
  planner.learn({ ...nothing, messages: [envelopeAt(new Date())] }, first);
  assertEquals(ask(100, false), null);
  const beside = ask(2_000, false);
  if (!beside) throw new Error("it does not look again");
  assertEquals(beside.waitMs, undefined);
  planner.learn(nothing, beside);
  const empty = ask(4_000, true);
  if (!empty) throw new Error("it does not poll again after a poll that found nothing");
  assertEquals(empty.waitMs, 1_000);
  planner.learn(nothing, empty);
  assertEquals(planner.done, true);
});

Deno.test("a worker of another transport waits for the next message as soon as it has settled the last one", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, waitMs: 1_000, endsAt: Infinity });
  const now = performance.now();
  const first = planner.request(now, capacity, false);
  if (!first) throw new Error("no first claim");
  planner.learn({ ...nothing, messages: [envelopeAt(new Date())] }, first);
  const ofSettling = planner.request(now, capacity, true);
  if (!ofSettling) throw new Error("the settle call carries no claim");
  planner.learn(nothing, ofSettling);
  assertEquals(planner.request(now, capacity, false)?.waitMs, 1_000);
});

Deno.test("a quarantined message of the latest claim is asked for, whatever an older claim has seen", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const now = performance.now();
  const [older, latest] = [1, 2].map(() => planner.request(now, capacity, true));
  if (!older || !latest) throw new Error("no claims");
  planner.learn({ ...nothing, quarantinedDue: true }, latest);
  planner.learn(nothing, older);
  assertEquals(planner.request(now, capacity, false)?.quarantined, true);
});

Deno.test("a sweep that came back full of expired messages is followed by another at once, and one that did not in 10 s", () => {
  const planner = new ClaimPlanner({ leaseMs: 60_000, endsAt: Infinity });
  const expired = { ...envelopeAt(new Date(0)), expired: true };
  const sweeps: (boolean | undefined)[] = [];
  for (const given of [10, 10, 3, 10]) {
    const request = planner.request(performance.now(), capacity, true);
    if (!request) throw new Error("no claim");
    sweeps.push(request.sweep);
    planner.learn({ ...nothing, messages: Array(given).fill(expired) }, request);
  }
  assertEquals(sweeps, [true, true, true, false]);
});
