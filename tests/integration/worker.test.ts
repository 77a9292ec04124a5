/** The command `worker`: messages in a resident process, beside ticks, and what becomes of them when it ends. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { entryOf } from "../../cli/worker/entry.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const MESSAGES = new URL("../support/heavy_messages", import.meta.url).pathname;
const LEASE_MS = 2_000;

interface Running {
  readonly pid: number;
  readonly status: Promise<Deno.CommandStatus>;
  kill(signal: Deno.Signal): void;
}

function environment(stack: TestStack): Record<string, string> {
  return {
    SUPABASE_URL: stack.url,
    SUPABASE_SECRET_KEY: stack.secretKey,
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.secretKey }),
    SYMPHONY_WORKER_LEASE_MS: String(LEASE_MS),
  };
}

/** Starts a process, and waits until its worker is registered. */
async function start(stack: TestStack, args: readonly string[]): Promise<Running> {
  const before = (await workers(stack)).length;
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args],
    env: environment(stack),
    cwd: ROOT,
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const ended = process.status.then(({ code }) => {
    throw new Error(`the worker ended with ${code} before it was registered`);
  });
  ended.catch(() => {});
  const registered = eventually(() => workers(stack), (rows) => rows.length > before);
  await Promise.race([registered, ended]);
  return process;
}

const command = (stack: TestStack, ...flags: string[]) =>
  start(stack, [
    ...["run", "-A", "cli/main.ts", "worker", "--messages", `${MESSAGES}/mod.ts`],
    ...flags,
  ]);

/** Without the command that watches over it. */
const alone = (stack: TestStack) =>
  start(
    stack,
    entryOf({
      root: ROOT,
      messages: `${MESSAGES}/mod.ts`,
      options: { name: "alone", graceMs: 60_000, concurrency: 5 },
    }),
  );

const workers = async (stack: TestStack) =>
  await stack.sql<{ worker: string; queues: string[]; ended_at: Date | null; report: unknown }[]>`
    select worker, queues, ended_at, report from public.messenger_ticks
    where worker is not null order by id`;

const heavy = (type: string, ms: number, count: number) =>
  Array.from({ length: count }, () => ({ type, payload: { ms } }));

const failed = async (stack: TestStack) => {
  const rows = await stack.sql<{ reason: string }[]>`
    select reason from public.messenger_failed_messages`;
  return rows.map(({ reason }) => reason);
};

testsOnStack({ messages: MESSAGES }, (test) => {
  // 24 times 5 s would take two minutes: here each computes for 200 ms, longer than two leases in all.
  test("24 handlers that compute run in it, each once, while ticks serve the other queues", async (stack) => {
    const worker = await command(stack, "--concurrency", "24", "--name", "vm");
    await stack.dispatch(heavy("Compute", 200, 24));
    await stack.dispatch(
      Array.from({ length: 5 }, () => ({ type: "Note", payload: { text: "a" } })),
    );
    assertEquals((await stack.tick()).messages, { claimed: 5, handled: 5, retried: 0, failed: 0 });
    assert(await stack.count() > 0, "the ticks were done first");
    const refused = await stack.post("tick", { queues: ["heavy"] });
    assertEquals(refused.status, 400);
    assertStringIncludes(await refused.text(), "heavy runs on workers");
    await eventually(() => stack.count(), (count) => count === 0);
    const computed = (await stack.effects()).filter(({ type }) => type === "Compute");
    assertEquals(computed.map(({ attempt }) => attempt), Array(24).fill(1));
    assertEquals(await failed(stack), []);
    worker.kill("SIGTERM");
    assertEquals((await worker.status).code, 0);
    const [row] = await workers(stack);
    assertEquals([row?.worker, row?.queues], ["vm", ["heavy"]]);
    assertEquals(row?.report, { claimed: 24, handled: 24, retried: 0, failed: 0 });
    assert(row?.ended_at);
  });

  test("SIGTERM lets a running handler finish, and leaves the rest to others", async (stack) => {
    const worker = await command(stack, "--concurrency", "1", "--grace", "60");
    await stack.dispatch(heavy("Wait", 500, 3));
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    worker.kill("SIGTERM");
    assertEquals((await worker.status).code, 0);
    assertEquals(await stack.count(), 2);
    const rows = await stack.sql`select status, attempts from public.messenger_messages`;
    assertEquals(rows.map(({ status, attempts }) => [status, attempts]), [
      ["pending", 0],
      ["pending", 0],
    ]);
  });

  test("a second signal gives a running handler back at once, and another worker takes it", async (stack) => {
    const worker = await command(stack, "--grace", "600");
    await stack.dispatch(heavy("Wait", 600_000, 1));
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    worker.kill("SIGINT");
    worker.kill("SIGTERM");
    await worker.status;
    const rows = await stack.sql`select status from public.messenger_messages`;
    assertEquals(rows.map(({ status }) => status), ["pending"]);
    const next = await command(stack, "--grace", "0");
    await eventually(() => stack.effects(), (effects) => effects.length === 2);
    next.kill("SIGTERM");
    await next.status;
  });

  test("workers that are killed at random moments lose nothing, and no attempt runs twice", async (stack) => {
    await stack.dispatch(heavy("Wait", 40, 60));
    for (let round = 0; round < 3; round++) {
      const worker = await alone(stack);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      worker.kill("SIGKILL");
      await worker.status;
    }
    const last = await alone(stack);
    // Ticks sweep for leases that ran out, and leave the messages to the worker.
    await eventually(
      async () => {
        await stack.tick();
        return await stack.count();
      },
      (count) => count === 0,
      60_000,
    );
    last.kill("SIGTERM");
    await last.status;
    const effects = await stack.effects();
    assertEquals(new Set(effects.map(({ message_id }) => message_id)).size, 60);
    const attempts = effects.map(({ message_id, attempt }) => `${message_id} ${attempt}`);
    assertEquals(new Set(attempts).size, attempts.length);
    assertEquals(await failed(stack), []);
  });

  test("a worker whose command is killed drains by itself", async (stack) => {
    const worker = await command(stack, "--grace", "0");
    worker.kill("SIGKILL");
    await worker.status;
    await eventually(() => workers(stack), ([row]) => row?.ended_at !== null);
  });
});
