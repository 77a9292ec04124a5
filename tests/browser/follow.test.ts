/** The example in a browser: signs in, dispatches, and shows each change of the message. */

import { assert, assertEquals } from "@std/assert";
import { TextLineStream } from "@std/streams/text-line-stream";
import { chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const hasChromium = await Deno.stat(CHROMIUM).then(() => true, () => false);

/** Without any connection of the browser's own; playwright makes an empty profile. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Until the minute's tick, if need be. */
const PATIENCE_MS = 90_000;

/** Starts the example. Returns its page's URL, and a function that ends it. */
async function startExample(): Promise<{ url: string; stop: () => Promise<void> }> {
  const script = new URL("../../examples/follow/serve.ts", import.meta.url).pathname;
  const example = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script],
    stdout: "piped",
  }).spawn();
  const lines = example.stdout.pipeThrough(new TextDecoderStream())
    .pipeThrough<string>(new TextLineStream()).getReader();
  const printed: string[] = [];
  let url: string | undefined;
  while (url === undefined) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`the example did not start: ${printed.join("\n")}`);
    printed.push(value);
    url = /^(http:\S+): sign in/.exec(value)?.[1];
  }
  const reading = (async () => {
    while (!(await lines.read()).done) { /* read on, so that the example can print */ }
  })();
  return {
    url,
    stop: async () => {
      example.kill("SIGINT");
      await Promise.all([reading, example.status]);
    },
  };
}

Deno.test({
  name: hasChromium
    ? "the example shows a message going through a retry to its end, with its progress"
    : `the example in a browser: left out, for there is no ${CHROMIUM}`,
  ignore: !hasChromium,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const example = await startExample();
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      const errors: string[] = [];
      page.on("pageerror", (error: Error) => errors.push(String(error)));
      await page.goto(example.url);

      const problem = page.locator("#problem");
      await page.fill("[name=email]", "ada@example.org");
      await page.fill("[name=password]", "difference");
      await page.click("#sign-in button");
      await problem.filter({ hasText: "Invalid login credentials" }).waitFor();
      await page.fill("[name=password]", "engine");
      await page.click("#sign-in button");

      await page.fill("[name=pages]", "1");
      await page.click("#export button");
      await problem.filter({ hasText: "payload.pages: " }).waitFor();

      await page.fill("[name=pages]", "4");
      await page.click("#export button");
      const changes = page.locator("#changes li");
      await changes.filter({ hasText: "handled, attempt 2" }).waitFor();
      const shown: string[] = await changes.allTextContents();
      const told = shown.join("; ");
      const place = (status: string) => shown.findIndex((text) => text.startsWith(status));
      assert(place("pending") === 0 || place("processing") === 0, told);
      assert(place("retrying, attempt 1") > 0, told);
      assert(place("retrying") < place("processing, attempt 2"), told);
      assertEquals(shown.at(-1), "handled, attempt 2");
      assert(shown.some((text) => /, page \d of 4$/.test(text)), told);
      assertEquals(await page.evaluate("document.querySelector('progress').value"), 1);
      assertEquals([await problem.textContent(), errors], ["", []]);
    } finally {
      await browser.close();
      await example.stop();
    }
  },
});
