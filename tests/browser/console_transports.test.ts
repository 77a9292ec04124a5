/** Transports, the outbox and lanes in the console. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { ask, clearManaged } from "../support/management.ts";
import type { TestStack } from "../support/stack.ts";

const MESSAGES = new URL("../support/routed_messages", import.meta.url).pathname;
const audit = { type: "AuditMessage", payload: { action: "login" } };
const row = { type: "ImportRow", payload: { row: 1 } };

/** Empties the outbox, tells the database of the transports, and dispatches. */
async function fillOutbox(stack: TestStack): Promise<string[]> {
  await clearManaged(stack);
  await stack.sql`truncate messenger.outbox, messenger.relays`;
  await stack.tick();
  return await stack.dispatch([audit, audit, { ...audit, delay: "1h" }, row]);
}

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "a transport that is away is found from the overview, with its error, its breaker and its routes",
      async (operator, { stack, url }) => {
        await fillOutbox(stack);
        await stack.tick();
        const { page } = operator;
        await operator.visit(url, "/");
        const fault = page.getByRole("listitem").filter({ hasText: "outbox events" }).first();
        await seen(fault.getByText(/The transport cannot be reached; the next try is at/));
        await seen(
          page.getByRole("listitem").filter({ hasText: "transport events" }).first()
            .getByText(/ECONNREFUSED/),
        );
        await operator.isAccessible("overview with failing transports");
        await fault.getByRole("link", { name: "Transport" }).click();
        await seen(page.getByRole("heading", { name: "events" }));
        await seen(page.getByText(/^1 failure: .*ECONNREFUSED/));
        await seen(page.getByText("Audit*"));
        await page.getByRole("row", { name: /AuditMessage audit Due/ }).nth(1).waitFor();
        await seen(page.getByRole("row", { name: /AuditMessage audit Waits/ }));
        await operator.isAccessible("transport");
        await page.getByRole("link", { name: "Transports", exact: true }).first().click();
        await seen(page.getByRole("row", { name: /events Away Audit\* .*ECONNREFUSED.* 3 / }));
        await seen(page.getByRole("row", { name: /eu Ready ImportRow/ }));
        await operator.isAccessible("transports");
        await page.getByRole("button", { name: "Declare queues" }).click();
        await seen(page.getByText(/Declare queues: events: .*ECONNREFUSED/));
      },
    );

    test(
      "what waits is published now, cancelled and sent again, each after its dry run's count",
      async (operator, { stack, url }) => {
        await fillOutbox(stack);
        await stack.tick();
        await stack
          .sql`update messenger.outbox set refusals = 2, refusal = '<img src=x onerror=alert(1)>',
          available_at = now() + interval '5 minutes'
          where position = (select min(position) from messenger.outbox where transport = 'events')`;
        const { page } = operator;
        await operator.visit(url, "/transports?view=outbox&transport=events");
        await seen(page.getByRole("row", { name: /AuditMessage events audit Refused 2 times/ }));
        await operator.isAccessible("outbox");
        await page.getByRole("row", { name: /Refused/ }).getByRole("link").click();
        await seen(page.getByRole("dialog").getByText("<img src=x onerror=alert(1)>"));
        await operator.isAccessible("message of the outbox");
        await page.getByRole("button", { name: "Close" }).click();
        await page.getByRole("row", { name: /Waits/ }).getByRole("checkbox").check();
        await page.getByRole("button", { name: "Cancel…" }).click();
        const one = page.getByRole("dialog", { name: "Cancel the selection" });
        await one.getByRole("button", { name: "Cancel 1" }).click();
        await seen(page.getByText("1 of 1 cancelled"));
        await page.getByRole("row", { name: /Waits/ }).waitFor({ state: "detached" });
        await page.getByRole("button", { name: "Close" }).click();

        await operator.go("/transports/events");
        await page.getByRole("button", { name: "Publish now to events" }).click();
        const now = page.getByRole("dialog", { name: "Publish now all that match" });
        await seen(now.getByText("1 message matches"));
        await operator.isAccessible("publish now");
        await now.getByRole("button", { name: "Publish now 1" }).click();
        await seen(page.getByText("1 of 1 due now"));
        await page.getByRole("button", { name: "Close" }).click();
        await page.getByRole("button", { name: "Cancel…" }).click();
        const rest = page.getByRole("dialog", { name: "Cancel all that match" });
        await seen(rest.getByText("messages that wait in the outbox, with transport events"));
        await seen(rest.getByText("2 messages match"));
        await rest.getByRole("button", { name: "Cancel 2" }).click();
        await seen(page.getByText("2 of 2 cancelled"));
        await seen(page.getByText("No message waits"));
        await page.getByRole("button", { name: "Close" }).click();

        await operator.go("/transports/eu?state=sent");
        await seen(page.getByRole("row", { name: /ImportRow default Sent/ }));
        await page.getByRole("button", { name: "Send again to eu" }).click();
        const since = page.getByRole("dialog", { name: "Send again to eu" });
        await since.getByLabel("Sent since").fill("soon");
        await seen(since.locator(".field-error"));
        await operator.isAccessible("since when");
        await since.getByLabel("Sent since").fill("10m");
        await since.getByRole("button", { name: "Count them" }).click();
        const again = page.getByRole("dialog", { name: "Send again all that match" });
        await seen(again.getByText("1 message matches"));
        await again.getByRole("button", { name: "Send again 1" }).click();
        await seen(page.getByText("1 of 1 sent again"));
        await page.getByLabel("State").selectOption("Waiting");
        await seen(page.getByRole("row", { name: /ImportRow default Due/ }));
      },
    );

    test(
      "a pause after failures ends although no message is delayed, and a transport that is no more declared says so",
      async (operator, { stack, url }) => {
        await fillOutbox(stack);
        await stack.sql`truncate messenger.outbox`;
        await stack.sql`update messenger.relays set failures = 3, failure = 'connection refused',
          retry_at = now() + interval '1 hour' where transport = 'events'`;
        const { page } = operator;
        await operator.visit(url, "/transports");
        await page.getByRole("button", { name: "Publish now to events" }).click();
        const now = page.getByRole("dialog", { name: "Publish now all that match" });
        await seen(now.getByText("0 messages match"));
        await now.getByRole("button", { name: "Publish now" }).click();
        await seen(page.getByText("Done", { exact: true }));
        await seen(page.getByText("0 of 0 due now"));
        const [relay] = await stack.sql<{ waits: number }[]>`
          select count(*)::int as waits from messenger.relays where retry_at is not null`;
        assertEquals(relay?.waits, 0);
        await stack.dispatch([audit]);
        await stack.sql`delete from messenger.transports where name = 'events'`;
        await operator.go("/transports/events");
        await seen(page.getByText(/declares no transport events/));
        await operator.isAccessible("a transport that is not declared");
      },
    );

    test(
      "a queue's page shows its busy lanes with their limits, which its form changes",
      async (operator, { stack, url, readOnlyUrl }) => {
        await clearManaged(stack);
        await ask(stack, "POST", "/queues", { name: "mail" });
        const mail = {
          type: "EmailMessage",
          payload: { to: "ada@example.org", template: "welcome" },
        };
        const lanes = ["acme", "acme", "<b>/&"];
        await stack.dispatch(lanes.map((lane) => ({ ...mail, lane })));
        const { page } = operator;
        await operator.visit(url, "/queues/mail");
        await seen(page.getByRole("row", { name: /acme Active 2 .*no limit no limit 1/ }));
        await seen(page.getByRole("row", { name: /<b>\/& Active 1/ }));
        await page.getByRole("button", { name: "Limits" }).click();
        const settings = page.getByRole("dialog", { name: "Limits of mail" });
        await settings.getByLabel("Concurrency of a lane").fill("2");
        await settings.getByLabel("Rate limit of a lane").fill("10");
        await settings.getByLabel("Lane's period in seconds").fill("60");
        await operator.isAccessible("limits of lanes");
        await settings.getByRole("button", { name: "Save" }).click();
        await seen(page.getByText("10 in 1 min"));
        await seen(page.getByRole("row", { name: /acme .*2 10 in 1 min 1/ }));
        await operator.isAccessible("queue with lanes");
        await page.getByRole("button", { name: "Pause mail/acme" }).click();
        await seen(page.getByRole("row", { name: /acme Paused 2 .*2 10 in 1 min 1/ }));

        await page.getByRole("link", { name: "acme" }).click();
        await seen(page.getByRole("heading", { name: "mail/acme" }));
        await seen(page.getByText("Paused", { exact: true }));
        await page.getByRole("button", { name: "Limits" }).click();
        const own = page.getByRole("dialog", { name: "Limits of mail/acme" });
        await own.getByLabel("Weight").fill("5");
        assertEquals(await own.getByLabel("Lease in seconds").count(), 0);
        await own.getByRole("button", { name: "Save" }).click();
        await seen(page.getByText("The limits of mail/acme are changed"));
        await operator.isAccessible("lane");
        await ask(stack, "POST", "/queues/mail/pause");
        await page.getByRole("button", { name: "Resume mail/acme" }).click();
        await seen(page.getByText(/Resume mail\/acme: its queue is paused/));
        await page.getByRole("link", { name: "mail", exact: true }).click();
        await seen(page.getByRole("row", { name: /acme Paused 2 .*2 10 in 1 min 5/ }));

        await stack.clear();
        await stack.dispatch([audit]);
        await operator.visit(readOnlyUrl, "/transports/events");
        await seen(page.getByRole("row", { name: /AuditMessage audit/ }));
        const changes = /Publish|Send again|Cancel|Declare|Pause mail|Limits/;
        assertEquals(await page.getByRole("button", { name: changes }).count(), 0);
        assertEquals(await page.getByRole("checkbox").count(), 0);
        await operator.go("/transports");
        await seen(page.getByRole("row", { name: /^events / }));
        assertEquals(await page.getByRole("button", { name: changes }).count(), 0);
        await stack.dispatch([{ ...mail, lane: "acme" }]);
        await operator.go("/queues/mail");
        await seen(page.getByRole("row", { name: /acme Active 1/ }));
        assertEquals(await page.getByRole("button", { name: changes }).count(), 0);
      },
    );
  });
} else {
  Deno.test({
    name: `transports in the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
