/** Messages and dead letters in the console: what operators do with them, in a browser. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import {
  addDeadLetter,
  addDeadMails,
  addDurable,
  countBoth,
  NO_MAILBOX,
  UNREACHABLE,
} from "../support/console_letters.ts";
import { type Operator, testsOfConsole } from "../support/console_page.ts";

const MESSAGES = new URL("../support/mail_messages", import.meta.url).pathname;
const REDRIVE = "**/api/failed-messages/redrive";

/** The row of a table that has this text. */
const rowOf = ({ page }: Operator, text: string) =>
  page.getByRole("row").filter({ hasText: text }).first();

/** Waits until the bar says so, and returns how many are done. A step takes as many as it can in 3 s. */
async function doneOf({ page }: Operator, text: RegExp): Promise<number> {
  const count = page.getByRole("region", { name: "Change of many messages" }).getByText(text);
  await count.waitFor();
  return Number((await count.textContent() ?? "").split(" of ")[0]?.replace(",", ""));
}

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test("an operator finds why mails fail, and mends one payload", async (operator, setup) => {
      const { stack, url } = setup;
      const { page } = operator;
      await addDeadMails(stack, 40);
      await addDeadMails(stack, 3, { error: NO_MAILBOX, reason: "unrecoverable" });
      const [id = ""] = await addDeadMails(stack, 1, { error: "to: is no address", to: "ada@" });
      await operator.visit(url, "/dead-letters");
      await seen(rowOf(operator, UNREACHABLE).getByRole("cell", { name: "40", exact: true }));
      await seen(rowOf(operator, NO_MAILBOX).getByRole("cell", { name: "3", exact: true }));

      await page.getByRole("link", { name: "to: is no address" }).click();
      await page.getByRole("link", { name: id }).click();
      await seen(page.getByRole("heading", { name: `Dead letter ${id}` }));
      await seen(page.getByText("waited 29 s, ran 30 s"));
      await page.getByRole("button", { name: "Edit and redrive" }).click();
      const to = page.getByRole("textbox", { name: /^to/ });
      const redrive = page.getByRole("button", { name: "Redrive with this payload" });
      await seen(page.getByText("Invalid email address"));
      assertEquals(await to.getAttribute("aria-invalid"), "true");
      assertEquals(await redrive.isDisabled(), true);

      // The draft outlives a walk to another page.
      await to.fill("ada@example.org");
      await operator.go("/queues");
      await operator.go(`/dead-letters/${id}`);
      await page.getByRole("button", { name: "Edit and redrive" }).click();
      assertEquals(await to.inputValue(), "ada@example.org");
      await seen(page.getByText("It fits the schema."));
      await redrive.click();
      await seen(page.getByRole("heading", { name: `Message ${id}` }));
      assertEquals((await stack.tick()).messages.handled, 1);
      await seen(page.getByText("It neither waits nor runs"));
      assertEquals(await countBoth(stack), { waiting: 0, dead: 43 });
    });

    test(
      "thousands of one error are redriven after a dry run, and a reload continues",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await addDeadMails(stack, 25_000);
        await addDeadMails(stack, 7, { error: NO_MAILBOX });
        await operator.visit(url, "/dead-letters");
        await rowOf(operator, UNREACHABLE).getByRole("button", { name: "Redrive…" }).click();
        const dialog = page.getByRole("dialog");
        await seen(dialog.getByRole("button", { name: "Redrive 25,000" }));
        assertEquals(await countBoth(stack), { waiting: 0, dead: 25_007 });

        // The second step begins, and its answer never comes.
        let steps = 0;
        await page.route(REDRIVE, (route) => ++steps > 1 ? undefined : route.continue());
        await dialog.getByRole("button", { name: "Redrive 25,000" }).click();
        const bar = page.getByRole("region", { name: "Change of many messages" });
        const done = await doneOf(operator, /^[1-9].* of 25,000 redriven$/);
        const value = await bar.getByRole("progressbar").getAttribute("value");
        assertEquals([value, done < 25_000], [String(done / 25_000), true]);
        await operator.isAccessible("a change at work");
        await page.unroute(REDRIVE);
        await page.reload();

        await seen(bar.getByText("Interrupted by a reload"));
        await bar.getByRole("button", { name: "Continue", exact: true }).click();
        await seen(bar.getByText("Done", { exact: true }));
        assertEquals(await doneOf(operator, / of 25,000 redriven$/), 25_000);
        assertEquals(await countBoth(stack), { waiting: 25_000, dead: 7 });
        await bar.getByRole("button", { name: "Close" }).click();
        await bar.waitFor({ state: "detached" });
      },
    );

    test(
      "a change is stopped after its step, and removes need a confirmation",
      async (operator, setup) => {
        const { stack, url } = setup;
        const { page } = operator;
        await addDeadMails(stack, 25_000);
        await operator.visit(url, "/dead-letters?view=list");
        await page.getByRole("button", { name: "Remove…" }).click();
        const dialog = page.getByRole("dialog");
        const remove = dialog.getByRole("button", { name: "Remove 25,000" });
        await remove.waitFor();
        assertEquals(await remove.isDisabled(), true);
        await dialog.getByRole("textbox", { name: "Type remove to confirm" }).fill("remove");
        const release = Promise.withResolvers<void>();
        await page.route("**/api/failed-messages/remove", async (route) => {
          await release.promise;
          // One step a request: otherwise a fast machine removes all of them in the first one.
          const body = { ...route.request().postDataJSON(), budgetMs: 0 };
          await route.continue({ postData: JSON.stringify(body) });
        });
        await remove.click();
        const bar = page.getByRole("region", { name: "Change of many messages" });
        await bar.getByRole("button", { name: "Stop" }).click();
        release.resolve();
        await seen(bar.getByText("Stopped"));
        const done = await doneOf(operator, / of 25,000 removed$/);
        assertEquals([(await countBoth(stack)).dead, done > 0], [25_000 - done, true]);
      },
    );

    test("messages are found, run now and cancelled with the keyboard", async (operator, setup) => {
      const { stack, url } = setup;
      const { page } = operator;
      await stack.sql`
        select messenger_dispatch('EmailMessage', '{"to":"a@example.org","template":"welcome"}',
          delay => interval '1 hour', queue => 'mail', group_key => null) from generate_series(1, 3)`;
      await stack.sql`
        select messenger_dispatch('WebhookMessage', '{"url":"x"}', delay => interval '1 hour')`;
      await operator.visit(url, "/messages");
      await rowOf(operator, "WebhookMessage").waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("type:Em");
      await seen(page.getByRole("option", { name: "type:EmailMessage" }));
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      await page.waitForURL(/type=EmailMessage/);
      await rowOf(operator, "WebhookMessage").waitFor({ state: "detached" });
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await page.keyboard.press("j");
      await page.keyboard.press("x");
      await seen(page.getByText("1 selected"));
      await page.getByRole("button", { name: "Run now…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Run now 1" }).click();
      await rowOf(operator, "due").waitFor();

      await page.getByRole("button", { name: "Cancel…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Cancel 3" }).click();
      await seen(page.getByText("No message matches"));
      assertEquals(await countBoth(stack), { waiting: 1, dead: 3 });
    });

    test(
      "a durable message shows its steps, its waits, and its relations",
      async (operator, setup) => {
        const { stack, url } = setup;
        const { page } = operator;
        const { parent, child } = await addDurable(stack);
        await operator.visit(url, `/messages/${parent}`);
        await seen(page.getByText("step: done"));
        await seen(page.getByText("sleep: done"));
        await seen(page.getByText("order 7 approved"));
        await page.getByText("Result", { exact: true }).click();
        await seen(page.getByText("charged"));
        await operator.isAccessible("durable message");
        await page.getByRole("link", { name: child, exact: true }).click();
        await seen(page.getByRole("heading", { name: `Message ${child}` }));
        await page.getByRole("link", { name: parent, exact: true }).click();
        await seen(page.getByRole("heading", { name: `Message ${parent}` }));
      },
    );

    test("a read-only operator sees everything and changes nothing", async (operator, setup) => {
      const { stack, readOnlyUrl } = setup;
      const { page } = operator;
      const [id = ""] = await addDeadMails(stack, 3);
      await stack.sql`select messenger_dispatch('WebhookMessage', '{"url":"x"}')`;
      const changes = page.getByRole("button", { name: /Redrive|Remove…|Edit|Run now|Cancel/ });
      await operator.visit(readOnlyUrl, "/dead-letters");
      for (const place of ["/dead-letters", "/dead-letters?view=list", "/messages"]) {
        await operator.go(place);
        await seen(page.getByRole("table"));
        assertEquals([place, await changes.count()], [place, 0]);
        assertEquals(await page.getByRole("checkbox").count(), 0);
      }
      await operator.go(`/dead-letters/${id}`);
      await seen(page.getByRole("heading", { name: "Timeline" }));
      assertEquals(await changes.count(), 0);
      const status = await page.evaluate<number>(
        `fetch("./api/failed-messages/${id}", {
          method: "DELETE",
          headers: { "x-symphony-token": sessionStorage.getItem("symphony.token") },
        }).then(({ status }) => status)`,
      );
      assertEquals([status, (await countBoth(stack)).dead], [403, 3]);
    });

    test(
      "markup, hidden characters, 1 MB of text and 10,000 keys are shown safely",
      async (operator, setup) => {
        const { stack, url } = setup;
        const { page } = operator;
        const attack = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
        const id = await addDeadLetter(stack, {
          url: attack,
          name: "invoice\u202Efdp.exe",
          [`<b>${attack}</b>`]: "key",
          text: "x".repeat(1_000_000),
          keys: Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, n])),
        }, { error: `${attack}\u2066` });
        await operator.visit(url, "/dead-letters?view=list");
        await rowOf(operator, attack).waitFor();
        await operator.go(`/dead-letters/${id}`);
        const tree = page.getByRole("tree", { name: "Payload" });
        await seen(tree.getByText("U+202E"));
        await tree.getByText("10,000 fields").click();
        await tree.getByText("9,900 more", { exact: true }).click();
        await seen(tree.getByText("9,000 more", { exact: true }));
        await tree.getByRole("button", { name: "… 999,500 more characters" }).click();
        await seen(tree.getByRole("button", { name: "… 979,500 more characters" }));
        const elements = await page.evaluate<number>("document.querySelectorAll('*').length");
        assertEquals(elements < 12_000, true, `${elements} elements`);
        await page.getByRole("button", { name: "Raw" }).first().click();
        await seen(page.getByRole("region", { name: "Payload, raw" }));
        assertEquals(await page.evaluate("window.pwned"), undefined);
        assertEquals(await page.locator(".payload img, .payload script, .payload b").count(), 0);
      },
    );

    test("no page of messages has a violation that axe knows", async (operator, setup) => {
      const { stack, url } = setup;
      const { page } = operator;
      const [id = ""] = await addDeadMails(stack, 60, { to: "ada@" });
      await addDeadMails(stack, 3, { error: NO_MAILBOX, reason: "unrecoverable" });
      await stack
        .sql`select messenger_dispatch('WebhookMessage', '{"url":"x"}', delay => interval '1 hour')`;
      await stack.sql`
        select messenger_dispatch('EmailMessage', '{"to":"a@example.org","template":"welcome"}')
        from generate_series(1, 12)`;
      const [message] = await stack.sql`select max(id)::text as id from public.messenger_messages`;
      await operator.visit(url, "/messages");
      await seen(page.getByRole("table"));
      await operator.isAccessible("messages");
      await page.getByRole("combobox", { name: "Filter" }).focus();
      await seen(page.getByRole("listbox"));
      await operator.isAccessible("messages suggestions");
      await operator.go(`/messages/${message?.["id"]}`);
      await seen(page.getByRole("tree"));
      await operator.isAccessible("message");
      await operator.go("/dead-letters");
      await seen(page.getByRole("table"));
      await operator.isAccessible("dead letters by error");
      await operator.go("/dead-letters?view=list&type=EmailMessage&failedFrom=24h");
      await page.getByRole("checkbox").nth(2).check();
      await operator.isAccessible("dead letters");
      await page.getByRole("button", { name: "Redrive…" }).click();
      await page.getByText("Rate, queue and steps").click();
      await operator.isAccessible("redrive of a selection");
      await page.keyboard.press("Escape");
      await operator.go(`/dead-letters/${id}`);
      await seen(page.getByRole("tree"));
      await operator.isAccessible("dead letter");
      await page.getByRole("button", { name: "Edit and redrive" }).click();
      await seen(page.getByText("One issue"));
      await operator.isAccessible("payload by fields");
      await page.getByRole("button", { name: "JSON" }).click();
      await operator.isAccessible("payload as JSON");
    });
  });
} else {
  Deno.test({
    name: `the console and messages: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
