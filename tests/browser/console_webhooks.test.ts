/** Webhook endpoints and their deliveries in the console. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { ask, clearManaged } from "../support/management.ts";
import { startReceiver } from "../support/receivers.ts";
import type { TestStack } from "../support/stack.ts";

const MESSAGES = new URL("../support/webhook_messages", import.meta.url).pathname;

/** Takes all endpoints away, with their events. */
async function clearWebhooks(stack: TestStack): Promise<void> {
  await clearManaged(stack);
  await stack.sql`truncate public.messenger_webhook_endpoints, public.messenger_webhook_deliveries
    restart identity cascade`;
}

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "an endpoint is made, its secret is shown once and rotated, and it is disabled and enabled",
      async (operator, { stack, url }) => {
        await clearWebhooks(stack);
        await using receiver = startReceiver();
        const { page } = operator;
        await operator.visit(url, "/webhooks");
        await seen(page.getByText("There is no endpoint"));
        await page.getByRole("button", { name: "New endpoint" }).click();
        const made = page.getByRole("dialog", { name: "New endpoint" });
        await made.getByLabel("Name").fill("acme");
        await made.getByLabel("URL").fill("ftp://acme.example");
        await made.getByRole("button", { name: "Create" }).click();
        await seen(made.locator(".field-error"));
        await operator.isAccessible("new endpoint");
        await made.getByLabel("URL").fill(receiver.url);
        await made.getByLabel("Events").fill("order.*, user.made");
        await made.getByRole("button", { name: "Create" }).click();
        const secret = page.getByRole("dialog", { name: "The secret of acme" });
        const first = await secret.getByText(/^whsec_/).textContent();
        await operator.isAccessible("secret");
        await page.keyboard.press("Escape");
        await secret.getByRole("button", { name: "Done" }).click();
        await seen(page.getByRole("row", { name: /acme Enabled.*order\.\* user\.made/ }));
        await operator.isAccessible("webhooks");
        assertEquals((await page.content()).includes(first ?? "none"), false);

        await page.getByRole("link", { name: "acme" }).click();
        await page.getByRole("button", { name: "Rotate secret" }).click();
        const rotation = page.getByRole("dialog", { name: "Rotate the secret of acme" });
        await rotation.getByLabel("Both sign for").selectOption("7d");
        await rotation.getByRole("button", { name: "Rotate" }).click();
        const second = await secret.getByText(/^whsec_/).textContent();
        assertEquals(first === second, false);
        await secret.getByRole("button", { name: "Done" }).click();
        await seen(page.getByText("Former secret until"));
        await page.getByRole("button", { name: "Edit" }).click();
        const settings = page.getByRole("dialog", { name: "Settings of acme" });
        await settings.getByLabel("Rate limit").fill("5");
        await settings.getByLabel("Disable after").fill("");
        await settings.getByRole("button", { name: "Save" }).click();
        await seen(page.getByText("5 in 1.0 s"));
        await page.getByRole("button", { name: "Disable acme" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
        await seen(page.getByText("Disabled", { exact: true }));
        await page.getByRole("button", { name: "Test acme" }).click();
        await seen(page.getByText(/Test acme: .*disabled/));
        await page.getByRole("button", { name: "Enable acme" }).click();
        await seen(page.getByText("Enabled", { exact: true }));
        await page.getByRole("button", { name: "Test acme" }).click();
        await seen(page.getByText("webhook.test is published"));
        await stack.tick();
        await seen(page.getByRole("row", { name: /webhook\.test Delivered 200/ }));
        await operator.isAccessible("webhook");
        await page.getByRole("button", { name: "Delete" }).click();
        await page.getByLabel("Type acme to confirm").fill("acme");
        await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await seen(page.getByText("There is no endpoint"));
      },
    );

    test(
      "an answer is shown as text, and what failed last is sent again after its count",
      async (operator, { stack, url, readOnlyUrl }) => {
        await clearWebhooks(stack);
        let status = 400;
        await using receiver = startReceiver(() =>
          new Response("<script>alert('no such order')</script>", { status })
        );
        await ask(stack, "POST", "/webhooks", { name: "acme", url: receiver.url });
        for (const order of [1, 2, 3]) {
          await stack.sql`select public.messenger_publish('order.paid', ${
            stack.sql.json({ order })
          })`;
        }
        await stack.tick();
        const { page } = operator;
        await operator.visit(url, "/webhooks?view=deliveries&delivered=false");
        const rows = page.getByRole("row", { name: /acme order\.paid Failed 400/ });
        await rows.nth(2).waitFor();
        await operator.isAccessible("webhook deliveries");
        await rows.first().getByRole("link").click();
        await seen(page.getByRole("dialog").getByText("<script>alert('no such order')</script>"));
        await operator.isAccessible("webhook delivery");
        await page.getByRole("button", { name: "Close" }).click();

        status = 200;
        await rows.first().getByRole("checkbox").check();
        await page.getByRole("button", { name: "Send again" }).click();
        const one = page.getByRole("dialog", { name: "Send again the selection" });
        await one.getByRole("button", { name: "Send again 1" }).click();
        await seen(page.getByText("1 of 1 sent again"));
        await stack.tick();
        await page.getByLabel("Event").fill("order.paid");
        await page.waitForURL(/event=order\.paid/);
        await page.getByLabel("State").selectOption("All");
        await seen(page.getByRole("row", { name: /order\.paid Delivered 200/ }));
        await page.getByRole("button", { name: "Close" }).click();
        await page.getByRole("button", { name: "Send again" }).click();
        const rest = page.getByRole("dialog", { name: "Send again all that match" });
        await seen(rest.getByText("attempts that failed last, with event order.paid"));
        await seen(rest.getByText("2 attempts match"));
        await operator.isAccessible("send again");
        await rest.getByRole("button", { name: "Send again 2" }).click();
        await seen(page.getByText("2 of 2 sent again"));
        await stack.tick();
        await page.getByRole("row", { name: /order\.paid Delivered 200/ }).nth(2).waitFor();
        assertEquals(receiver.received.length, 6);

        await operator.visit(readOnlyUrl, "/webhooks/acme");
        await seen(page.getByRole("row", { name: /Delivered 200/ }));
        const changes = /Send again|Test|Edit|Rotate|Disable|Delete/;
        assertEquals(await page.getByRole("button", { name: changes }).count(), 0);
      },
    );
  });
} else {
  Deno.test({
    name: `webhooks in the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
