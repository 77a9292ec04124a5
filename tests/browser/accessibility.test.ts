/** The violations that axe finds in the example: in each of its states, light and dark, on a phone and on a desk. */

import { assertEquals } from "@std/assert";
import axe, { type AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { testsOfExample } from "../support/example_page.ts";

const SIZES = [{ width: 390, height: 844 }, { width: 1280, height: 800 }];
const SCHEMES = ["light", "dark"] as const;

/** Checks that a page has no violation, however it is looked at. */
async function assertAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  for (const size of SIZES) {
    for (const colorScheme of SCHEMES) {
      await page.setViewportSize(size);
      // Colours that fade in are not those that a reader sees.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))");
      const { violations, passes } = await page.evaluate<AxeResults>("axe.run(document)");
      assertEquals(passes.some(({ id }) => id === "color-contrast"), true, "axe saw the page");
      const found = violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)
      );
      assertEquals(found, [], `${what}, ${colorScheme}, ${size.width} px`);
    }
  }
}

if (hasChromium) {
  testsOfExample((test) => {
    test("the example has no violation that axe knows, in any of its states", async (visitor) => {
      const { page } = visitor;
      await assertAccessible(page, "without jobs");

      const report = visitor.card("Export a report");
      await report.start("1", "Export");
      await report.says(/payload\.pages: /);
      await assertAccessible(page, "a refused payload");

      const video = visitor.card("Render a video");
      const calendar = visitor.card("Sync a calendar");
      await video.start("60", "Render");
      await calendar.start("rehearsals", "Sync");
      await video.says(/^scene \d+ of 120$/);
      await calendar.says(/^Tries again in [1-3] s/);
      await assertAccessible(page, "a job that runs, and one that waits for its retry");

      await page.getByRole("button", { name: /^Cancel Render/ }).click();
      await video.shows("Cancelled");
      await calendar.shows("Dead letter");
      await report.start("2", "Try again");
      await report.shows("Done");
      await assertAccessible(page, "jobs that have ended");

      const form = page.getByRole("form", { name: "New schedule" });
      await form.getByLabel("Pages").fill("2");
      await form.getByLabel("Interval").fill("3600");
      await form.getByRole("button", { name: "Schedule" }).click();
      const row = page.getByRole("listitem").filter({ hasText: "A report of 2 pages" });
      await seen(row.filter({ hasText: "Every 1 h" }));
      await row.getByRole("button", { name: /^Change/ }).click();
      await seen(page.getByRole("form", { name: /^Change/ }));
      await assertAccessible(page, "a schedule that is changed");

      await visitor.context.setOffline(true);
      await visitor.connected("Offline");
      await assertAccessible(page, "offline");
      await visitor.context.setOffline(false);
      await visitor.leave();
      await assertAccessible(page, "signed out");
    });
  });
} else {
  Deno.test({
    name: `the example and axe: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
