// The demo of `deno task start`: dispatches over HTTP and shows what becomes of each message. Every
// surprise is an error.
import type { Stack } from "./stack.ts";

/** Gives up when something takes longer: ten times what the slowest step needs. */
const PATIENCE_MS = 30_000;

interface Received {
  path: string;
  status: number;
}

interface DeadLetter {
  id: number;
  type: string;
  reason: string;
  error: string;
}

/**
 * Dispatches an e-mail, a webhook call that succeeds at the second attempt and one that is refused
 * for good, lets the tick work, schedules an e-mail, and prints what happens.
 * Throws an Error that says what went otherwise than it should.
 */
export async function runDemo(stack: Stack): Promise<void> {
  const received: Received[] = [];
  await using receiver = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { pathname: path } = new URL(request.url);
      const status = path === "/gone"
        ? 410
        : received.some((call) => call.path === path)
        ? 200
        : 503;
      received.push({ path, status });
      console.log(`  an outside system: HTTP ${status} at ${path}`);
      return new Response(null, { status });
    },
  );
  const outside = `http://127.0.0.1:${receiver.addr.port}`;

  console.log("dispatch: an e-mail and two webhook calls");
  const [email, flaky, gone] = await dispatch(stack, [
    { type: "EmailMessage", payload: { to: "ada@example.org", template: "welcome" } },
    { type: "WebhookMessage", payload: { url: `${outside}/flaky`, event: "order.paid" } },
    { type: "WebhookMessage", payload: { url: `${outside}/gone`, event: "order.paid" } },
  ]);
  console.log(`  accepted as ${email}, ${flaky} and ${gone}`);

  console.log("tick: handle what is due; pg_cron does so every minute");
  await waitFor("the messages to be worked off", async () => {
    const { messages } = await tick(stack);
    if (messages.claimed > 0) {
      console.log(
        `  ${messages.handled} handled, ${messages.retried} to retry, ${messages.failed} failed`,
      );
    }
    const left = await read<{ id: number }[]>(
      stack,
      `messenger_messages?select=id&id=in.(${email},${flaky},${gone})`,
    );
    return left.length === 0;
  });

  const answers = received.filter(({ path }) => path === "/flaky").map(({ status }) => status);
  if (answers.join() !== "503,200") {
    throw new Error(`demo: /flaky was answered ${answers}, not 503,200`);
  }
  const [letter] = await read<DeadLetter[]>(stack, `messenger_failed_messages?id=eq.${gone}`);
  if (letter === undefined) {
    throw new Error(`demo: message ${gone} is not in the dead letter queue`);
  }
  console.log(`dead letter queue: ${letter.id} ${letter.type}, ${letter.reason}: ${letter.error}`);

  const { scheduleId } = await post<{ scheduleId: string }>(stack, "dispatch", {
    type: "EmailMessage",
    payload: { to: "ada@example.org", template: "digest" },
    schedule: { type: "interval", config: { interval: "1s" }, maxRuns: 2 },
  }, 201);
  console.log(`schedule: ${scheduleId} sends an e-mail every second, twice`);
  await waitFor("the schedule to be finished", async () => {
    const { schedules } = await tick(stack);
    if (schedules.processed > 0) console.log(`  ${schedules.processed} dispatched by its schedule`);
    const [schedule] = await read<{ run_count: number; enabled: boolean }[]>(
      stack,
      `messenger_schedules?select=run_count,enabled&id=eq.${scheduleId}`,
    );
    return schedule?.run_count === 2 && !schedule.enabled;
  });
}

async function dispatch(stack: Stack, messages: unknown[]): Promise<string[]> {
  const { ids } = await post<{ ids: string[] }>(stack, "dispatch", messages, 202);
  return ids;
}

interface TickReport {
  schedules: { processed: number };
  messages: { claimed: number; handled: number; retried: number; failed: number };
}

function tick(stack: Stack): Promise<TickReport> {
  return post<TickReport>(stack, "tick", {}, 200);
}

async function post<Answer>(
  stack: Stack,
  name: string,
  body: unknown,
  status: number,
): Promise<Answer> {
  const response = await fetch(`${stack.url}/functions/v1/${name}`, {
    method: "POST",
    headers: { apikey: stack.secretKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== status) {
    throw new Error(`demo: ${name} answered ${response.status}: ${text}`);
  }
  return JSON.parse(text);
}

async function read<Rows>(stack: Stack, query: string): Promise<Rows> {
  const response = await fetch(`${stack.url}/rest/v1/${query}`, {
    headers: { apikey: stack.secretKey },
  });
  if (!response.ok) {
    throw new Error(`demo: ${query} answered ${response.status}: ${await response.text()}`);
  }
  return await response.json();
}

async function waitFor(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!await isDone()) {
    if (performance.now() > deadline) {
      throw new Error(`demo: waited ${PATIENCE_MS / 1000} s in vain for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
