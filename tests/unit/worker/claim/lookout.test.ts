/** What a worker asks for, by what its claims have given. */

import { assertEquals } from "@std/assert";
import { z } from "zod";
import { defineMessage } from "../../../../supabase/functions/_shared/symphony/index.ts";
import type {
  Claim,
  ClaimRequest,
} from "../../../../supabase/functions/_shared/symphony/transport/transport.ts";
import {
  Lookout,
  untilFullLook,
} from "../../../../supabase/functions/_shared/symphony/worker/claim/lookout.ts";
import { workbench } from "../../../support/worker.ts";

const hands = { isEmpty: true, claims: false, room: 10, worthwhile: 1, slots: 10 };
const nothing: Claim = {
  messages: [],
  crashed: [],
  lastKeys: { default: "key" },
  quarantinedDue: false,
  nextDueMs: null,
  leaseMs: 60_000,
  lockMs: 0,
};

/** Whether a worker whose first look took `lockMs` looks at the head of its queues after `ms`. */
function looksInFull(lockMs: number, ms: number): boolean {
  const lookout = new Lookout({ leaseMs: 60_000, endsAt: Infinity });
  const now = performance.now();
  const first = lookout.request(now, hands, true);
  if (!first) throw new Error("no first look");
  lookout.learn({ ...nothing, lockMs }, first);
  return lookout.request(now + ms, hands, true)?.lastKeys === undefined;
}

Deno.test("a drain looks at the head of its queues once a second", () => {
  assertEquals([looksInFull(5, 900), looksInFull(5, 1_100)], [false, true]);
});

Deno.test("where that takes long, it takes a hundredth of the time, and comes within 30 s", () => {
  assertEquals([80, 10_000].map(untilFullLook), [8_000, 30_000]);
  assertEquals([looksInFull(80, 7_500), looksInFull(80, 8_500)], [false, true]);
});

Deno.test("after a claim that gave all there was, one look at a time is on its way", () => {
  const lookout = new Lookout({ leaseMs: 60_000, endsAt: Infinity });
  const now = performance.now();
  const looks = (claims: boolean) => lookout.request(now, { ...hands, claims }, true) !== null;
  const first = lookout.request(now, hands, true);
  if (!first) throw new Error("no first look");
  assertEquals(looks(true), true);
  lookout.learn(nothing, first);
  assertEquals([looks(true), looks(false)], [false, true]);
});

Deno.test("an answer that was asked for before something fell due does not put off the look for it", () => {
  const lookout = new Lookout({ leaseMs: 60_000, endsAt: Infinity });
  const first = lookout.request(performance.now(), hands, false);
  if (!first) throw new Error("no first look");
  lookout.lookNow();
  lookout.learn(nothing, first);
  assertEquals(lookout.done, false);
  const second = lookout.request(performance.now(), hands, false);
  if (!second) throw new Error("no second look");
  lookout.learn(nothing, second);
  assertEquals(lookout.done, true);
});

Deno.test("of two answers that come in the other order, the one asked for later says when to look", () => {
  const lookout = new Lookout({ leaseMs: 60_000, endsAt: Infinity });
  const look = () => {
    const request = lookout.request(performance.now(), hands, false);
    if (!request) throw new Error("no look");
    return request;
  };
  const [first, second] = [look(), look()];
  lookout.learn({ ...nothing, nextDueMs: 1_000 }, second);
  lookout.learn(nothing, first);
  assertEquals(lookout.done, false);
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
