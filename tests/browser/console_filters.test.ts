/** Filters of the console: their suggestions, their clock, and lists that go further back. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { addDeadMails, countBoth } from "../support/console_letters.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { clearManaged } from "../support/management.ts";

const MESSAGES = new URL("../support/mail_messages", import.meta.url).pathname;

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "waiting messages are found by their last error and by a suggested user, and run by that filter",
      async (operator, { stack, url }) => {
        await stack.sql`
          insert into public.messenger_messages (type, available_at, errors, stamps)
          values
            ('EmailMessage', now() + interval '1 hour', '[{"message":"SMTP timeout"}]', '{"user":{"id":"ada-7"}}'),
            ('EmailMessage', now() + interval '1 hour', '[{"message":"no route"}]', '{"user":{"id":"bob-9"}}')`;
        const { page } = operator;
        await operator.visit(url, "/messages");
        const filter = page.getByRole("combobox", { name: "Filter" });
        await seen(page.getByRole("row", { name: /SMTP timeout/ }));
        await filter.fill("user:");
        await seen(page.getByRole("option", { name: "user:bob-9" }));
        await page.getByRole("option", { name: "user:ada-7" }).click();
        await page.getByRole("row", { name: /no route/ }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Remove the filter user" }).click();
        await seen(page.getByRole("row", { name: /no route/ }));
        await filter.fill("error:timeout");
        await page.keyboard.press("Enter");
        await page.getByRole("row", { name: /no route/ }).waitFor({ state: "detached" });
        assertEquals(new URL(page.url()).hash, "#/messages?error=timeout");
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Run now…" }).click();
        const dialog = page.getByRole("dialog", { name: "Run now all that match" });
        await seen(dialog.getByText("messages with error timeout"));
        await dialog.getByRole("button", { name: "Run now 1" }).click();
        await seen(page.getByText("1 of 1 due now"));
        const rows = await stack.sql<{ user: string }[]>`
          select stamps #>> '{user,id}' as user from public.messenger_messages
          where available_at <= now()`;
        assertEquals(rows.map(({ user }) => user), ["ada-7"]);
      },
    );

    test(
      "two hours are two hours, although the operator's clock is half a day ahead",
      async (operator, { stack, url }) => {
        await addDeadMails(stack, 2);
        const { page } = operator;
        await page.clock.setSystemTime(Date.now() + 12 * 3_600_000);
        await operator.visit(url, "/dead-letters?view=list&failedFrom=2h");
        const rows = page.getByRole("row", { name: /EmailMessage/ });
        await rows.nth(1).waitFor();
        await seen(rows.first().getByText(/^(now|\d+ s ago)$/));
      },
    );

    test(
      "the options of a redrive are still there after Esc, and gone after Cancel",
      async (operator, { stack, url }) => {
        await addDeadMails(stack, 2);
        const { page } = operator;
        await operator.visit(url, "/dead-letters?view=list");
        const open = () => page.getByRole("button", { name: "Redrive…" }).click();
        const dialog = page.getByRole("dialog", { name: "Redrive all that match" });
        await open();
        await dialog.getByText("Rate, queue and steps").click();
        await dialog.getByLabel("Per second").fill("25");
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "detached" });
        await open();
        assertEquals(await dialog.getByLabel("Per second").inputValue(), "25");
        await dialog.getByRole("button", { name: "Cancel" }).click();
        await open();
        await dialog.getByText("Rate, queue and steps").click();
        assertEquals(await dialog.getByLabel("Per second").inputValue(), "");
        assertEquals(await countBoth(stack), { waiting: 0, dead: 2 });
      },
    );

    test(
      "the runs of a schedule go back as far as the database keeps them",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        const [schedule] = await stack.sql<{ id: string }[]>`
          insert into public.messenger_schedules (name, message_type, schedule_type, interval_ms, next_run_at)
          values ('hourly', 'EmailMessage', 'interval', 3600000, now() + interval '1 hour')
          returning id::text`;
        await stack.sql`
          insert into public.messenger_schedule_runs (schedule_id, occurrence, run, outcome)
          select ${schedule?.id ?? ""}, now() - n * interval '1 hour', 121 - n, 'handled'
          from generate_series(1, 120) as n`;
        const { page } = operator;
        await operator.visit(url, `/schedules/${schedule?.id}`);
        await seen(page.getByRole("cell", { name: "120", exact: true }));
        await page.getByRole("button", { name: "Next" }).click();
        await seen(page.getByRole("cell", { name: "70", exact: true }));
        await seen(page.getByText("Page 2, 50 rows"));
        await page.getByRole("button", { name: "Next" }).click();
        await seen(page.getByText("Page 3, 20 rows"));
        await seen(page.getByRole("cell", { name: "1", exact: true }));
        assertEquals(await page.getByRole("button", { name: "Next" }).isDisabled(), true);
      },
    );
  });
} else {
  Deno.test({
    name: `filters of the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
