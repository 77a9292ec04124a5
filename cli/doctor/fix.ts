/** `doctor --fix`: the function `messenger` makes what is missing, and a tick shows whether that works. */

import type { Call } from "../messenger/client.ts";
import { type Check, failed, passed } from "./check.ts";

/** How long the answer of the tick is waited for: pg_net may need some seconds to send it. */
const ANSWER_MS = 15_000;
const PAUSE_MS = 500;
/** Looks at a refusal before it is the verdict: it may answer a request that left before the setup, with the old key. */
const REFUSED_LOOKS = 10;

interface SetupAnswer {
  readonly queues: readonly string[];
  readonly jobs: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** Default alerts. */
  readonly alerts: readonly string[];
  readonly url: string;
  readonly key: string;
  /** null: a tick was asked for; otherwise why not. */
  readonly tick: string | null;
}

/**
 * Makes what is missing, and waits until the function tick has answered the database.
 * @param pause waits between two looks; default 500 ms
 * @throws ApiError if the project cannot be reached, or refuses
 */
export async function fix(call: Call, pause = pauseBriefly): Promise<Check[]> {
  const before = await lastAnswer(call);
  const done = (await call("POST", "/setup", {})).body as unknown as SetupAnswer;
  const checks = [passed("setup", describe(done))];
  if (done.tick !== null) return [...checks, failed("first tick", null, done.tick)];
  const deadline = performance.now() + ANSWER_MS;
  for (let refusals = 0;;) {
    const answer = await lastAnswer(call);
    if (answer !== null && answer.at !== before?.at) {
      const check = judge(answer.status);
      if (check.ok || ++refusals >= REFUSED_LOOKS) return [...checks, check];
    }
    if (performance.now() > deadline) {
      const advice =
        "pg_net has not told an answer of the function tick: see the check asked ticks.";
      return [
        ...checks,
        failed("first tick", "no answer", advice, "npx symphony-messenger doctor"),
      ];
    }
    await pause();
  }
}

function pauseBriefly(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** Without a status, pg_net has waited in vain: a cold start may take longer, and still work. */
function judge(status: number | null): Check {
  if (status === null) return passed("first tick", "no answer");
  if (status < 300) return passed("first tick", `HTTP ${status}`);
  const advice = "The function tick refuses what the database sends: see the check asked ticks.";
  return failed("first tick", `HTTP ${status}`, advice);
}

async function lastAnswer(call: Call): Promise<{ at: string; status: number | null } | null> {
  const { body } = await call("GET", "/health");
  return (body.lastAnswer ?? null) as { at: string; status: number | null } | null;
}

function describe({ queues, jobs, secrets, alerts, url, key }: SetupAnswer): string {
  const made = [
    ...queues.map((name) => `queue ${name}`),
    ...Object.entries(jobs).filter(([, done]) => done !== "kept").map(([name, done]) =>
      `${name} ${done}`
    ),
    ...secrets,
    ...(alerts.length > 0 ? [`${alerts.length} default alerts`] : []),
  ];
  return made.length === 0
    ? `nothing was missing (${url}, key ${key})`
    : `${made.join(", ")} (${url}, key ${key})`;
}
