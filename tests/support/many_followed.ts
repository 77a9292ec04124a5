/**
 * Measures what following costs: 1,000 messages of one user, followed in one tab, in each of the first minutes.
 *
 *   deno run -A --lock=deno.dev.lock tests/support/many_followed.ts [minutes [live]]
 *
 * The messages are due and no tick runs, so that each request finds nothing new: the longest wait of a user.
 */

import type { Page } from "playwright-core";
import { cpuOf } from "../../bench/harness/cpu.ts";
import { type PageConfig, servePage } from "../../examples/frontend/page.ts";
import { launchChromium } from "./browser.ts";
import { MESSAGES } from "./example_page.ts";
import { startRealtime } from "./realtime.ts";
import { startTestStack } from "./stack.ts";

const MESSAGES_FOLLOWED = 1_000;
const MINUTE_MS = 60_000;
/** The function that the requests reach. */
const FUNCTION = "dispatch";

/** Runs in the page: signs up, and follows one message. Resolves once it is told of changes, or asks for them. */
const FOLLOW_FIRST = `(async () => {
  const { messenger, supabase } = await import("/src/project.ts");
  const { error } = await supabase.auth.signUp({
    email: crypto.randomUUID() + "@example.org",
    password: "difference",
  });
  if (error) throw error;
  const { id } = await messenger.dispatch("RenderVideo", { seconds: 1 });
  const view = messenger.observe(id);
  await new Promise((resolve) => {
    const stop = view.subscribe(() => WANTED === view.get().connection && resolve(stop));
  });
  window.finished = messenger.finished(id);
})()`;

/** Runs in the page: dispatches the messages and follows each. */
const FOLLOW_ALL = `(async () => {
  await window.finished;
  const { messenger } = await import("/src/project.ts");
  const jobs = await messenger.dispatchAll(
    Array.from({ length: ${MESSAGES_FOLLOWED} }, () => ({
      type: "RenderVideo",
      payload: { seconds: 1 },
    })),
  );
  window.views = jobs.map(({ id }) => messenger.observe(id));
  for (const view of window.views) view.subscribe(() => {});
})()`;

const requests = new Map<string, number>();
await using stack = await startTestStack({
  postgres: "embedded",
  messages: MESSAGES,
  warmUp: true,
  onRequest: (request) => {
    const name = request.replace(/\/\d+$/, "/:id");
    requests.set(name, (requests.get(name) ?? 0) + 1);
  },
});
const minutes = Number(Deno.args[0] ?? 3);
if (Deno.args[1] !== "live") {
  await measure("polling", { url: stack.url, publishableKey: stack.publishableKey });
}
await stack.clear();
const realtime = await startRealtime(stack);
await measure("live", { url: realtime.url, publishableKey: stack.publishableKey });
await realtime.stop();

/** Prints the requests and the CPU time of each minute. */
async function measure(name: "polling" | "live", config: PageConfig): Promise<void> {
  const served = await servePage(config);
  const browser = await launchChromium();
  try {
    const page: Page = await browser.newPage();
    await page.goto(served.url);
    // A client trusts the channel with the types that it has told of: the first message shows it this one.
    await page.evaluate(FOLLOW_FIRST.replace("WANTED", JSON.stringify(name)));
    await stack.tick();
    await page.evaluate(FOLLOW_ALL);
    for (let minute = 1; minute <= minutes; minute++) {
      requests.clear();
      const before = cpuMs();
      await new Promise((resolve) => setTimeout(resolve, MINUTE_MS));
      const connections = await page.evaluate(
        "[...new Set(views.map((view) => view.get().connection))].join()",
      );
      const to = [...requests].filter(([name]) => name.includes("/functions/"))
        .map(([name, count]) => `${count} x ${name}`);
      console.log(
        `${name}, minute ${minute} (${connections}): ${to.join(", ")}; ` +
          `${Math.round(cpuMs() - before)} ms of CPU of the function`,
      );
    }
  } finally {
    await browser.close();
    await served.stop();
  }
}

/** CPU time that the function's process has used, in ms. */
function cpuMs(): number {
  const pid = stack.functionPid(FUNCTION);
  return pid === undefined ? 0 : cpuOf(pid);
}
