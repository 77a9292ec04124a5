/** Operators of the console change nothing else than the page shows. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { addDeadLetter } from "../support/console_letters.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { queueRow } from "../support/management.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "an address whose filter cannot be read says so, and offers no change of all that match",
      async (operator, { url }) => {
        const { page } = operator;
        await operator.visit(url, "/dead-letters?view=list&failedFrom=yesterday");
        await seen(page.getByRole("alert").filter({ hasText: "since: has to be a time ago" }));
        assertEquals(await page.getByRole("button", { name: "Redrive…" }).isDisabled(), true);
        await operator.go("/messages?status=blocked");
        await seen(page.getByRole("alert").filter({ hasText: "status: has to be one of" }));
        assertEquals(await page.getByRole("button", { name: "Cancel…" }).isDisabled(), true);
        await operator.isAccessible("unreadable filter");
        await operator.go("/messages");
        await page.getByRole("alert").waitFor({ state: "detached" });
        assertEquals(await page.getByRole("button", { name: "Cancel…" }).isDisabled(), false);
      },
    );

    test(
      "rows of the filter before are dimmed and cannot be changed, and do not outlive an error",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await stack
          .sql`select messenger_dispatch('Note', '{"text":"x"}', delay => interval '1 hour')`;
        await operator.visit(url, "/messages");
        const row = page.getByRole("row", { name: /Note/ });
        await row.waitFor();
        const answer = Promise.withResolvers<void>();
        await page.route("**/api/messages?*queue=none*", async (route) => {
          await answer.promise;
          const json = { code: "internal", message: "the list broke" };
          await route.fulfill({ status: 500, json });
        });
        await operator.go("/messages?queue=none");
        await seen(page.locator(".table-frame[inert][aria-busy=true]"));
        answer.resolve();
        await seen(page.getByRole("alert").filter({ hasText: "the list broke" }));
        assertEquals(await page.locator("[data-row]").count(), 0);
      },
    );

    test(
      "a kept draft of limits sends its own change alone, and keeps that of another operator",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await operator.visit(url, "/queues/default");
        await page.getByRole("button", { name: "Limits" }).click();
        const limits = page.getByRole("dialog", { name: "Limits of default" });
        await limits.getByLabel("Weight").fill("7");
        await page.keyboard.press("Escape");
        await limits.waitFor({ state: "detached" });
        await stack.sql`update public.messenger_queues set concurrency = 3 where name = 'default'`;
        await operator.go("/queues");
        await operator.go("/queues/default");
        await page.getByRole("button", { name: "Limits" }).click();
        assertEquals(await limits.getByLabel("Weight").inputValue(), "7");
        await limits.getByRole("button", { name: "Save" }).click();
        await limits.waitFor({ state: "detached" });
        const { weight, concurrency } = await queueRow(stack, "default") ?? {};
        assertEquals([weight, concurrency], [7, 3]);
        await stack
          .sql`update public.messenger_queues set concurrency = null where name = 'default'`;
      },
    );

    test(
      "all rows of a page are selected on a phone too",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await stack.sql`
          select messenger_dispatch('Note', '{"text":"x"}', delay => interval '1 hour')
          from generate_series(1, 3)`;
        await operator.visit(url, "/messages");
        await page.setViewportSize({ width: 390, height: 844 });
        await page.getByRole("checkbox", { name: "Select all rows of this page" }).check();
        await seen(page.getByText("3 selected"));
        await operator.isAccessible("all selected");
      },
    );

    test(
      "a payload that is being edited stays in sight after another operator has redriven it",
      async (operator, { stack, url }) => {
        const { page } = operator;
        const id = await addDeadLetter(stack, { url: "x" });
        await operator.visit(url, `/dead-letters/${id}`);
        await page.getByRole("button", { name: "Edit and redrive" }).click();
        await page.getByRole("button", { name: "JSON" }).click();
        const text = page.locator(".editor textarea");
        await text.fill('{"url":"mended"}');
        await stack.sql`delete from public.messenger_failed_messages where id = ${id}`;
        await page.getByRole("button", { name: "Pause live updates" }).click();
        await page.getByRole("button", { name: "Resume live updates" }).click();
        await seen(page.getByText(`There is no dead letter ${id}`));
        assertEquals(await text.inputValue(), '{"url":"mended"}');
      },
    );

    test(
      "a dialog stays while its change is under way, and then tells of the failure",
      async (operator, { url }) => {
        const { page } = operator;
        const answer = Promise.withResolvers<void>();
        await operator.visit(url, "/queues/default");
        await page.route("**/api/queues/default", async (route) => {
          if (route.request().method() !== "DELETE") return await route.fallback();
          await answer.promise;
          await route.fulfill({ status: 409, json: { code: "conflict", message: "it is in use" } });
        });
        await page.getByRole("button", { name: "Delete" }).click();
        const sure = page.getByRole("dialog", { name: "Delete default" });
        await sure.getByLabel("Type default to confirm").fill("default");
        await sure.getByRole("button", { name: "Delete" }).click();
        await sure.getByRole("button", { name: "Cancel" }).and(page.locator(":disabled")).waitFor();
        for (const _ of [1, 2, 3]) await page.keyboard.press("Escape");
        // Browsers close it at the second Esc, and the page opens it again in the event that tells so.
        await sure.waitFor();
        await sure.getByRole("button", { name: "Cancel" }).and(page.locator(":disabled")).waitFor();
        answer.resolve();
        await seen(sure.getByRole("alert").filter({ hasText: "it is in use" }));
        await page.keyboard.press("Escape");
        await sure.waitFor({ state: "detached" });
      },
    );

    test(
      "the page that has ended works again with the next address, and keeps what was typed",
      async (operator, { url }) => {
        const { page } = operator;
        await operator.visit(url, "/queues/default");
        await page.getByRole("button", { name: "Limits" }).click();
        const limits = page.getByRole("dialog", { name: "Limits of default" });
        await limits.getByLabel("Weight").fill("9");
        let hasEnded = true;
        await page.route(
          "**/api/**",
          (route) =>
            hasEnded
              ? route.fulfill({ status: 401, json: { code: "no_session", message: "ended" } })
              : route.fallback(),
        );
        await limits.getByRole("button", { name: "Save" }).click();
        const ended = page.getByRole("dialog", { name: "This page has ended" });
        await ended.waitFor();
        hasEnded = false;
        await ended.waitFor({ state: "detached" });
        assertEquals(await limits.getByLabel("Weight").inputValue(), "9");
      },
    );

    test(
      "roles that cannot be read are no lack of roles, and the buttons come with the next answer",
      async (operator, { url }) => {
        const { page } = operator;
        let isDown = true;
        await page.route(
          "**/api/access",
          (route) =>
            isDown
              ? route.fulfill({
                status: 503,
                json: { code: "unavailable", message: "no database" },
              })
              : route.fallback(),
        );
        await operator.visit(url, "/schedules/new");
        await seen(page.getByRole("alert").filter({ hasText: "no database" }));
        isDown = false;
        await page.getByRole("button", { name: "Try again" }).click();
        await seen(page.getByRole("button", { name: "Create schedule" }));
      },
    );
  });
} else {
  Deno.test({
    name: `the console in a browser: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
