/** Alerts, their channels and their deliveries in the console. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { ask, clearManaged } from "../support/management.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "an alert is made by its rule, changed, disabled, enabled and deleted",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        const { page } = operator;
        await operator.visit(url, "/alerts");
        await seen(page.getByText("There are no alerts"));
        await page.getByRole("button", { name: "New alert" }).click();
        const made = page.getByRole("dialog", { name: "New alert" });
        await made.getByLabel("Name").fill("mail-waits");
        await made.getByLabel("Rule").selectOption("oldest_ready");
        await made.getByLabel("Queue").fill("mail");
        await made.getByLabel("Threshold").fill("soon");
        await seen(made.getByText(/has to be a duration such as/));
        assertEquals(await made.getByRole("button", { name: "Create" }).isDisabled(), true);
        await operator.isAccessible("new alert");
        await made.getByLabel("Threshold").fill("10m");
        await made.getByRole("button", { name: "Create" }).click();
        await seen(page.getByRole("row", { name: /mail-waits Resolved.*10 min/ }));
        await operator.isAccessible("alerts");

        await page.getByRole("link", { name: "mail-waits" }).click();
        await seen(page.getByRole("heading", { name: "mail-waits" }));
        await page.getByRole("button", { name: "Edit" }).click();
        const settings = page.getByRole("dialog", { name: "Settings of mail-waits" });
        assertEquals(await settings.getByLabel("Threshold").inputValue(), "10m");
        await settings.getByLabel("Threshold").fill("90s");
        await settings.getByLabel("Queue").fill("");
        await settings.getByRole("button", { name: "Save" }).click();
        await seen(page.getByText("1 min 30 s"));
        await operator.isAccessible("alert");
        await page.getByRole("button", { name: "Disable mail-waits" }).click();
        await seen(page.getByText("Disabled", { exact: true }));
        const { body } = await ask(stack, "GET", "/alerts/mail-waits");
        assertEquals([body.enabled, body.threshold, body.queue], [false, 90_000, null]);
        await page.getByRole("button", { name: "Enable mail-waits" }).click();
        await seen(page.getByText("Resolved", { exact: true }));
        await page.getByRole("button", { name: "Delete" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await seen(page.getByText("There are no alerts"));
      },
    );

    test(
      "a channel is made and tested, its secrets never come back, and its deliveries are shown",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        const { page } = operator;
        const hook = "https://hooks.example/T0/secret-part";
        await operator.visit(url, "/alerts?view=channels");
        await page.getByRole("button", { name: "New channel" }).click();
        const made = page.getByRole("dialog", { name: "New channel" });
        await made.getByLabel("Name").fill("ops");
        await made.getByLabel("Kind").selectOption("slack");
        await made.getByLabel("URL").fill(hook.replace("https", "ftp"));
        await made.getByRole("button", { name: "Create" }).click();
        await seen(made.getByRole("alert").filter({ hasText: "https" }));
        await operator.isAccessible("new channel");
        await made.getByLabel("URL").fill(hook);
        await made.getByRole("button", { name: "Create" }).click();
        await seen(page.getByRole("row", { name: /ops default slack hooks\.example no none yet/ }));
        await operator.isAccessible("channels");
        assertEquals((await page.content()).includes("secret-part"), false);

        await page.getByRole("button", { name: "New channel" }).click();
        await made.getByLabel("Name").fill("ops");
        await made.getByLabel("Kind").selectOption("message");
        await made.getByLabel("Message type").fill("Note");
        await made.getByRole("button", { name: "Create" }).click();
        await seen(made.getByText("there is a channel ops already"));
        await made.getByLabel("Name").fill("notes");
        await made.getByRole("button", { name: "Create" }).click();
        await page.getByRole("button", { name: "Test notes" }).click();
        await seen(page.getByText("notes: the test has arrived"));
        await seen(page.getByRole("row", { name: /notes message Note no Delivered/ }));

        await page.getByRole("button", { name: "Delete ops" }).click();
        const sure = page.getByRole("dialog", { name: "Delete ops" });
        await sure.getByLabel("Type ops to confirm").fill("ops");
        await sure.getByRole("button", { name: "Delete" }).click();
        await page.getByRole("row", { name: /^ops/ }).waitFor({ state: "detached" });
      },
    );

    test(
      "deliveries are filtered in the address, shown in full and sent again, by those who may",
      async (operator, { stack, url, readOnlyUrl }) => {
        await clearManaged(stack);
        await ask(stack, "PUT", "/alert-channels/ops", { kind: "message", messageType: "Note" });
        await stack.sql`
          insert into public.messenger_alert_deliveries (alert, channel, event, body, status, error)
          select 'a' || n, 'ops', 'firing',
            '{"type":"messenger.alert.firing","data":{"summary":"<b>3 of them</b>"}}',
            case when n = 2 then 'delivered' else 'failed' end, 'no such channel'
          from generate_series(1, 3) n`;
        const { page } = operator;
        await operator.visit(url, "/alerts?view=deliveries&status=failed");
        await seen(page.getByRole("row", { name: /a3 Firing ops Failed/ }));
        assertEquals(await page.getByRole("row", { name: /a2/ }).count(), 0);
        await operator.isAccessible("alert deliveries");
        await page.getByLabel("Alert").fill("a1");
        await page.getByRole("row", { name: /a3/ }).waitFor({ state: "detached" });
        await page.getByRole("row", { name: /a1/ }).getByRole("link").click();
        const shown = page.getByRole("dialog");
        await seen(shown.getByText("<b>3 of them</b>"));
        await operator.isAccessible("alert delivery");
        await shown.getByRole("button", { name: "Close" }).click();
        await page.getByRole("button", { name: /Send again: delivery/ }).click();
        await seen(page.getByText("No delivery matches"));

        await operator.visit(readOnlyUrl, "/alerts?view=deliveries");
        await seen(page.getByRole("row", { name: /a3/ }));
        assertEquals(await page.getByRole("button", { name: /Send/ }).count(), 0);
        await operator.go("/alerts?view=channels");
        await seen(page.getByRole("row", { name: /ops/ }));
        assertEquals(await page.getByRole("button", { name: /New|Test|Edit|Delete/ }).count(), 0);
      },
    );
  });
} else {
  Deno.test({
    name: `alerts in the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
