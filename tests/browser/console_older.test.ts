/** The console of this release before the functions and the database of the first one. */

import { assertEquals } from "@std/assert";
import { startConsole } from "../../cli/console/console-server.ts";
import { buildConsole } from "../../package/console.ts";
import { CHROMIUM, hasChromium, launchChromium, seen } from "../support/browser.ts";
import { Operator } from "../support/console_page.ts";
import { startOlderStack } from "../support/older_worker.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const OLDER = "The functions of this project are of an older release";

/** Runs git in this checkout. */
async function git(...args: string[]): Promise<Uint8Array> {
  const { success, stdout } = await new Deno.Command("git", {
    args,
    cwd: ROOT,
    stderr: "null",
  }).output();
  return success ? stdout : new Uint8Array();
}

/** The commit from which 0.1.0 was published; empty: this checkout has no history. */
const commit = new TextDecoder().decode(
  await git("log", "--format=%H", "--grep=^Publish 0.1.0", "-1"),
).trim();

/** Writes the files of 0.1.0 into a folder. */
async function extract(folder: string): Promise<void> {
  const archive = `${folder}/release.tar`;
  // The commit that publishes a release also begins the next one.
  await Deno.writeFile(archive, await git("archive", `${commit}^`, "supabase"));
  const { success } = await new Deno.Command("tar", { args: ["-xf", archive, "-C", folder] })
    .output();
  assertEquals(success, true);
}

Deno.test({
  name: hasChromium && commit
    ? "before functions of 0.1.0 the known pages work, and the others say why they cannot"
    : `the console before 0.1.0: left out, for there is no ${hasChromium ? "history" : CHROMIUM}`,
  ignore: !hasChromium || !commit,
  // esbuild's process outlives a build.
  sanitizeResources: false,
  sanitizeOps: false,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "symphony-console-older-" });
    await using parts = new AsyncDisposableStack();
    parts.defer(() => Deno.remove(folder, { recursive: true }));
    await extract(folder);
    await buildConsole(`${folder}/console`);
    const { stack } = parts.use(await startOlderStack("0.1.0", `${folder}/supabase/functions`));
    const { url } = parts.use(
      await startConsole({
        ...{ url: stack.url, secretKey: stack.secretKey, prefix: "", port: 0 },
        folder: `${folder}/console`,
      }),
    );
    const browser = await launchChromium();
    parts.defer(() => browser.close());
    const operator = parts.use(await Operator.open(browser, stack.secretKey));
    const { page } = operator;
    await operator.visit(url);
    await seen(page.getByText(/schema 0\.1\.0/));
    await operator.go("/queues");
    await page.getByRole("button", { name: "Pause default" }).click();
    await seen(page.getByText("Paused", { exact: true }));
    for (
      const place of ["/messages", "/dead-letters?view=list", "/schedules", "/ticks", "/actions"]
    ) {
      await operator.go(place);
      await seen(page.locator("main").locator("table, .empty"));
    }
    for (
      const place of [
        "/dead-letters",
        "/schedules/calendar",
        "/batches",
        "/events",
        "/alerts",
        "/webhooks",
        "/webhooks/acme",
      ]
    ) {
      await operator.go(place);
      await seen(page.getByRole("alert").filter({ hasText: OLDER }));
    }
  },
});
