/** The example page in a browser: signs in, dispatches, and shows each change of the message. */

import { assert, assertEquals } from "@std/assert";
import { chromium } from "playwright-core";
import { servePage } from "../../examples/follow/page.ts";
import { tickEvery } from "../support/drain.ts";
import { startTestStack } from "../support/stack.ts";

const CHROMIUM = "/usr/bin/chromium";
const hasChromium = await Deno.stat(CHROMIUM).then(() => true, () => false);

Deno.test({
  name: hasChromium
    ? "the page shows a message going through a retry to its end, with its progress"
    : `the page in a browser: left out, for there is no ${CHROMIUM}`,
  ignore: !hasChromium,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const messages = new URL("../../examples/follow/messages", import.meta.url).pathname;
    const stack = await startTestStack({ messages, net: true, cron: true });
    const server = await servePage(stack);
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    try {
      await tickEvery(stack, 1);
      const user = { email: "ada@example.org", password: "engine" };
      await stack.client.auth.signUp(user);
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);

      const problem = page.locator("#problem");
      await page.fill("[name=email]", user.email);
      await page.fill("[name=password]", "wrong");
      await page.click("text=Sign in");
      await problem.filter({ hasText: "Invalid login credentials" }).waitFor();
      await page.fill("[name=password]", user.password);
      await page.click("#sign-in button");

      await page.fill("[name=pages]", "1");
      await page.click("text=Export the report");
      await problem.filter({ hasText: "payload.pages: " }).waitFor();

      await page.fill("[name=pages]", "4");
      await page.click("text=Export the report");
      const changes = page.locator("#changes li");
      await changes.filter({ hasText: "handled, attempt 2" }).waitFor();
      const shown = await changes.allTextContents();
      const statuses = shown.map((text) => text.split(", ")[0]);
      const place = (status: string) => statuses.indexOf(status);
      assert(place("processing") < place("retrying"), shown.join("; "));
      assert(place("retrying") >= 0, shown.join("; "));
      assertEquals(shown.at(-1), "handled, attempt 2");
      assert(shown.some((text) => /page \d of 4$/.test(text)), shown.join("; "));
      assertEquals(await page.evaluate("document.querySelector('progress').value"), 1);
      assertEquals([await problem.textContent(), problems], ["", []]);
    } finally {
      await browser.close();
      await server.shutdown();
      await stack.stop();
    }
  },
});
