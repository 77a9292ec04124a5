/** The signals that end a resident worker. */

import { assertEquals } from "@std/assert";
import { createLogger } from "../../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { listenForSignals } from "../../../../supabase/functions/_shared/symphony/worker/resident/signals.ts";

function listening(graceMs: number, sameWithinMs = 0) {
  let send = (_signal: string) => {};
  const { promise: ended, resolve: exit } = Promise.withResolvers<number>();
  const signals = listenForSignals({
    graceMs,
    giveBackMs: 1,
    sameWithinMs,
    onSignal: (callback) => void (send = callback),
    exit,
    log: createLogger({ level: "error", write: () => {} }),
  });
  const state = () => [signals.drain.aborted, signals.stop.aborted];
  return { ...signals, send: (signal: string) => send(signal), state, ended };
}
const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test({
  name: "the first signal lets handlers finish, the second gives them back, and the process ends",
  ...options,
  fn: async () => {
    const { send, state, ended } = listening(60_000);
    assertEquals(state(), [false, false]);
    send("SIGTERM");
    assertEquals(state(), [true, false]);
    send("SIGTERM");
    assertEquals(state(), [true, true]);
    assertEquals(await ended, 1);
  },
});

Deno.test({
  name: "at the end of the grace period handlers are given back",
  ...options,
  fn: async () => {
    const { send, stop, state } = listening(5);
    const stopped = new Promise((resolve) => stop.addEventListener("abort", resolve));
    send("SIGINT");
    await stopped;
    assertEquals(state(), [true, true]);
  },
});

Deno.test({
  name: "copies of the first signal, which groups of processes and npx send, are the same request",
  ...options,
  fn: async () => {
    const { send, state, ended } = listening(60_000, Infinity);
    for (let copy = 0; copy < 4; copy++) send("SIGINT");
    assertEquals(state(), [true, false]);
    send("SIGTERM");
    assertEquals(state(), [true, true]);
    assertEquals(await ended, 1);
  },
});
