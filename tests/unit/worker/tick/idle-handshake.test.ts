/** The idle handshake: what a run asks of the database before it is idle, and how long its agreement holds. */

import { assert, assertEquals } from "@std/assert";
import type { IdleAnswer } from "../../../../supabase/functions/_shared/symphony/worker/worker-options.ts";
import { IdleHandshake } from "../../../../supabase/functions/_shared/symphony/worker/tick/idle-handshake.ts";

const quiet = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };
const refused = { agreed: false, due: false, messagesInMs: null, schedulesInMs: null };

/** Repeats the handshake until the replies are used up. Returns how long each call was to wait for more. */
async function lingers(answers: readonly IdleAnswer[], leftMs = 60_000): Promise<number[]> {
  const asked: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const tick = {
    offerIdle: ({ lingerMs }: { lingerMs: number }) => {
      asked.push(lingerMs);
      return Promise.resolve(answers[asked.length - 1] ?? refused);
    },
    wake: () => Promise.resolve(),
    standAside: () => Promise.resolve(true),
    backlog: () => {},
  };
  const turn = () => {
    if (asked.length === answers.length) return resolve();
    const now = performance.now();
    handshake.turn({
      ...{ now, stopping: false, calling: false, idle: true, quiet: true, stalledMs: 0 },
      ...{ endsAt: now + leftMs, report: { claimed: 0, handled: 0, retried: 0, failed: 0 } },
    });
    setTimeout(turn, 5);
  };
  const handshake = new IdleHandshake(tick, {
    ...{ onDue: () => {}, onNextDue: () => {}, onAnswer: () => {}, log: quiet },
  });
  turn();
  await promise;
  return asked;
}

Deno.test("a tick that is counted on by a transaction which stays open waits for what others dispatch", async () => {
  const [first, ...others] = await lingers([refused, refused, refused]);
  assertEquals(first, 0);
  assert(others.every((ms) => ms > 1_000), `waits for ${others} ms`);
  // The answer has to be there when the tick's time is over.
  assertEquals((await lingers([refused, refused], 700)).at(-1), 700);
  // Where something was due, it is handled first.
  assertEquals((await lingers([refused, { ...refused, due: true }, refused])).at(-1), 0);
});

Deno.test("work after an agreement ends it: the run offers to be idle again", async () => {
  const agreed = { agreed: true, due: false, messagesInMs: null, schedulesInMs: null };
  const answered: unknown[] = [];
  const tick = {
    offerIdle: () => Promise.resolve(agreed),
    wake: () => Promise.resolve(),
    standAside: () => Promise.resolve(true),
    backlog: () => {},
  };
  const handshake = new IdleHandshake(tick, {
    onDue: () => {},
    onNextDue: () => {},
    onAnswer: () => answered.push(handshake.agreed),
    log: quiet,
  });
  const turn = async () => {
    const now = performance.now();
    handshake.turn({
      ...{ now, stopping: false, calling: false, idle: true, quiet: true, stalledMs: 0 },
      ...{ endsAt: now + 60_000, report: { claimed: 0, handled: 0, retried: 0, failed: 0 } },
    });
    await new Promise((resolve) => setTimeout(resolve));
  };
  await turn();
  await turn();
  assertEquals(answered, [true]);
  handshake.worked();
  assertEquals(handshake.agreed, false);
  await turn();
  assertEquals(answered, [true, true]);
});
