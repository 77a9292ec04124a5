/** Outages under a resident worker: what it does while the database, its API or its key fails, and afterwards. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  createMessenger,
  defineMessage,
  TransportError,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";
import { postgrestError, type Trouble, troubledApi } from "../support/troubled_api.ts";

/** The texts of the messages whose handlers have begun, and the way to let a handler go. */
class Runs {
  readonly begun: string[] = [];
  readonly #gates = new Map<string, () => void>();

  readonly definition = defineMessage({
    type: "Gated",
    schema: z.string(),
    queue: "heavy",
    runsOn: "worker",
    timeout: "5m",
    retry: { delay: 1 },
    handler: async (text, { signal }) => {
      this.begun.push(text);
      if (!text.startsWith("long")) return;
      await new Promise<void>((resolve, reject) => {
        this.#gates.set(text, resolve);
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
  });

  letGo(text: string): void {
    this.#gates.get(text)?.();
  }

  async has(...texts: string[]): Promise<void> {
    await eventually(
      () => Promise.resolve(this.begun),
      (begun) => texts.every((text) => begun.includes(text)),
      60_000,
    );
  }
}

/** Runs a worker in this process whose calls go by another way than the stack's. */
function startWorker(stack: TestStack, url: string, leaseMs: number) {
  const runs = new Runs();
  const events: string[] = [];
  const messenger = createMessenger({
    supabase: createClient(url, stack.secretKey, {
      auth: { persistSession: false, autoRefreshToken: false },
    }),
    messages: [runs.definition],
    config: readConfig(undefined, { leaseMs }),
    log: createLogger({
      level: "info",
      write: (_level, line) => events.push(JSON.parse(line).event),
    }),
  });
  const [drained, stopped] = [new AbortController(), new AbortController()];
  const ended = createWorker(messenger).resident({
    name: "tested",
    drain: drained.signal,
    stop: stopped.signal,
  });
  ended.catch(() => {});
  const dispatch = (text: string) =>
    stack.sql`select public.messenger_dispatch('Gated', ${stack.sql.json(text)}, queue => 'heavy')`;
  /** Ends the worker in order, and its last wait in the database, which would hold up the next test. */
  const drain = async () => {
    drained.abort();
    const report = await ended;
    await stack.sql`select pg_cancel_backend(pid) from pg_stat_activity
      where datname = current_database() and query like '%messenger_await_due%'
        and pid <> pg_backend_pid()`;
    return report;
  };
  return { runs, events, ended, dispatch, drain };
}

const left = (stack: TestStack) =>
  stack.sql<{ status: string; attempts: number }[]>`
    select status, attempts from public.messenger_messages`;

const TROUBLES: Readonly<Record<string, Trouble>> = {
  "connections that are closed": () => {
    throw new Error("closed");
  },
  "503s of a proxy": () => new Response("<html>overloaded</html>", { status: 503 }),
  "a PostgREST without its database": () =>
    postgrestError(503, "PGRST002", "Could not query the database for the schema cache. Retrying."),
  "a stale schema cache": () =>
    postgrestError(404, "PGRST202", "Could not find the function in the schema cache"),
  "an expired token": () => postgrestError(401, "PGRST303", "JWT expired"),
  "a key that the gateway refuses": () =>
    Response.json({ message: "Invalid API key" }, { status: 401 }),
};

testsOnStack({}, (test) => {
  for (const [name, trouble] of Object.entries(TROUBLES)) {
    test(`through ${name} a running handler keeps its message, and the next one starts afterwards`, async (stack) => {
      await using api = troubledApi(stack);
      const { runs, dispatch, drain } = startWorker(stack, api.url, 60_000);
      await dispatch("long");
      await runs.has("long");
      api.meet(trouble);
      await dispatch("next");
      runs.letGo("long");
      await eventually(
        () => Promise.resolve([...api.met]),
        (met) => met.includes("messenger_await_due") && met.some((name) => /_settle/.test(name)),
      );
      api.meet(null);
      await runs.has("next");
      assertEquals(await drain(), { claimed: 2, handled: 2, retried: 0, failed: 0 });
      assertEquals(runs.begun, ["long", "next"]);
      assertEquals(await stack.count(), 0);
    });
  }

  test("through a restart of PostgREST a running handler keeps its message, and the next one starts afterwards", async (stack) => {
    const { runs, dispatch, drain } = startWorker(stack, stack.url, 60_000);
    await dispatch("long");
    await runs.has("long");
    await stack.restartPostgrest();
    await dispatch("next");
    runs.letGo("long");
    await runs.has("next");
    assertEquals(await drain(), { claimed: 2, handled: 2, retried: 0, failed: 0 });
    assertEquals(runs.begun, ["long", "next"]);
  });

  test("an outage that outlasts the leases interrupts the worker; it runs its messages again afterwards", async (stack) => {
    await using api = troubledApi(stack);
    const { runs, events, dispatch, drain } = startWorker(stack, api.url, 1_000);
    await dispatch("long");
    await runs.has("long");
    api.meet(() => new Response(null, { status: 503 }));
    await eventually(() => Promise.resolve(events), (seen) => seen.includes("worker_interrupted"));
    api.meet(null);
    await eventually(() => Promise.resolve(runs.begun), ({ length }) => length === 2);
    runs.letGo("long");
    await eventually(() => stack.count(), (count) => count === 0);
    assertEquals((await drain()).handled, 1);
  });

  test("a worker whose key was revoked ends when it is told to, says why, and leaves its message to others", async (stack) => {
    await using api = troubledApi(stack);
    const { runs, dispatch, drain } = startWorker(stack, api.url, 1_000);
    await dispatch("long");
    await runs.has("long");
    api.meet(() => Response.json({ message: "Invalid API key" }, { status: 401 }));
    runs.letGo("long");
    const error = await assertRejects(drain, TransportError);
    assertStringIncludes(error.message, "Invalid API key");
    assertEquals((await left(stack)).map(({ attempts }) => attempts), [1]);
  });

  test("a worker does not start without its database, and says why", async (stack) => {
    await using api = troubledApi(stack);
    api.meet(() => Response.json({ message: "Invalid API key" }, { status: 401 }));
    const { ended } = startWorker(stack, api.url, 1_000);
    const error = await assertRejects(() => ended, TransportError);
    assertStringIncludes(error.message, "Invalid API key");
  });
});
