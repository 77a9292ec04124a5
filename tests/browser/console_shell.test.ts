/** The console's frame, its overview and its queues; who may use it, and what the browser gets to know. */

import { assert, assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { type Operator, PASSWORD, signUp, testsOfConsole } from "../support/console_page.ts";
import { queueRow } from "../support/management.ts";
import { eventually, type TestStack } from "../support/stack.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;

/** Fills the sign-in of a static host. */
async function signIn({ page }: Operator, email: string): Promise<void> {
  const dialog = page.getByRole("dialog", { name: "Sign in" });
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByLabel("Password").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The lines of the action log. */
async function actions({ sql }: TestStack): Promise<string[]> {
  const rows = await sql`select action from public.messenger_actions order by id`;
  return rows.map(({ action }) => action);
}

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "the overview begins with the failing checks, with advice and the way there",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await stack.sql`insert into public.messenger_messages (type, queue, available_at)
        values ('Note', 'default', now() - interval '7 minutes')`;
        await operator.visit(url);
        const fault = page.getByRole("listitem").filter({ hasText: "Messages wait too long" });
        await seen(fault.getByText("oldest ready message"));
        await seen(fault.getByText(/7 min( \d+ s)? of at most 5 min/));
        await operator.isAccessible("overview");
        await fault.getByRole("link", { name: "Queues" }).click();
        await seen(page.getByRole("heading", { name: "Queues" }));
      },
    );

    test(
      "a queue is made, limited, paused, resumed and deleted, and the log has it",
      async (operator, { stack, url }) => {
        const { page } = operator;
        const before = (await actions(stack)).length;
        await operator.visit(url, "/queues");
        await page.getByRole("button", { name: "New queue" }).click();
        const made = page.getByRole("dialog", { name: "New queue" });
        await made.getByLabel("Name").fill("mail");
        await made.getByLabel("Concurrency", { exact: true }).fill("0");
        await made.getByRole("button", { name: "Create" }).click();
        await seen(made.locator(".field-error").filter({ hasText: "1 or more" }));
        await operator.isAccessible("new queue");
        await made.getByLabel("Concurrency", { exact: true }).fill("5");
        await made.getByRole("button", { name: "Create" }).click();
        await page.getByRole("link", { name: "mail" }).click();
        await seen(page.getByRole("heading", { name: "mail" }));
        assertEquals((await queueRow(stack, "mail"))?.["concurrency"], 5);

        await page.getByRole("button", { name: "Limits" }).click();
        const limits = page.getByRole("dialog", { name: "Limits of mail" });
        await limits.getByLabel("Rate limit", { exact: true }).fill("100");
        await limits.getByLabel("Period in seconds", { exact: true }).fill("60");
        await limits.getByLabel("Concurrency", { exact: true }).fill("");
        await limits.getByRole("button", { name: "Save" }).click();
        await seen(page.getByText("100 in 1 min"));
        const { concurrency, rate_limit, rate_period_ms } = await queueRow(stack, "mail") ?? {};
        assertEquals([concurrency, rate_limit, rate_period_ms], [null, 100, 60_000]);

        await page.getByRole("button", { name: "Pause mail" }).click();
        await seen(page.getByText("Paused", { exact: true }));
        assertEquals((await queueRow(stack, "mail"))?.["paused"], true);
        await operator.isAccessible("queue");
        await page.getByRole("button", { name: "Resume mail" }).click();
        await seen(page.getByText("Active", { exact: true }));

        await page.getByRole("button", { name: "Delete" }).click();
        const sure = page.getByRole("dialog", { name: "Delete mail" });
        await sure.getByRole("button", { name: "Delete" }).isDisabled();
        await sure.getByLabel("Type mail to confirm").fill("mail");
        await sure.getByRole("button", { name: "Delete" }).click();
        await seen(page.getByRole("heading", { name: "Queues" }));
        assertEquals(await queueRow(stack, "mail"), undefined);
        assertEquals((await actions(stack)).length, before + 5);
      },
    );

    test(
      "the keyboard reaches pages, rows, shortcuts and the pause of live updates",
      async (operator, { url }) => {
        const { page } = operator;
        await operator.visit(url);
        await seen(page.getByRole("heading", { name: "Overview" }));
        await page.keyboard.press("g");
        await page.keyboard.press("q");
        await seen(page.getByRole("link", { name: "default" }));
        await page.keyboard.press("j");
        await page.keyboard.press("Enter");
        await seen(page.getByRole("heading", { name: "default" }));
        await page.keyboard.press("p");
        await seen(page.getByRole("button", { name: "Resume live updates" }));
        await page.keyboard.press("p");
        await seen(page.getByRole("button", { name: "Pause live updates" }));
        await page.keyboard.press("?");
        await seen(page.getByRole("dialog", { name: "Keyboard shortcuts" }));
        await operator.isAccessible("shortcuts");
        await page.getByRole("checkbox", { name: "Keys without Ctrl or Alt" }).uncheck();
        await page.keyboard.press("Escape");
        await page.getByRole("dialog").waitFor({ state: "detached" });
        await page.keyboard.press("p");
        await page.getByRole("button", { name: "Keyboard shortcuts" }).click();
        await page.getByRole("checkbox", { name: "Keys without Ctrl or Alt" }).check();
        await page.keyboard.press("Escape");
        await seen(page.getByRole("button", { name: "Pause live updates" }));
      },
    );

    test(
      "a list rests while live updates are paused, and is up to date after a resume",
      async (operator, { stack, url }) => {
        const { page } = operator;
        await operator.visit(url, "/queues");
        await seen(page.getByRole("link", { name: "default" }));
        await page.getByRole("button", { name: "Pause live updates" }).click();
        const asked: string[] = [];
        page.on("request", (request) => void asked.push(new URL(request.url()).pathname));
        await stack.sql`insert into public.messenger_queues (name) values ('late')`;
        await page.clock.install();
        await page.clock.fastForward(60_000);
        assertEquals(asked.filter((path) => path === "/api/queues"), []);
        await page.getByRole("button", { name: "Resume live updates" }).click();
        await seen(page.getByRole("link", { name: "late" }));
      },
    );

    test(
      "a read-only console shows no button that changes something",
      async (operator, { readOnlyUrl }) => {
        const { page } = operator;
        await operator.visit(readOnlyUrl, "/queues");
        await seen(page.getByRole("link", { name: "default" }));
        await seen(page.getByText("read-only"));
        for (const name of [/New queue/, /Pause default/]) {
          assertEquals(await page.getByRole("button", { name }).count(), 0);
        }
        await page.getByRole("link", { name: "default" }).click();
        await seen(page.getByText("Oldest due"));
        for (const name of [/Limits/, /Delete/, /Pause default/]) {
          assertEquals(await page.getByRole("button", { name }).count(), 0);
        }
      },
    );

    test(
      "without the token there is nothing to see, and nothing of the key is in the browser",
      async (operator, { stack, url }) => {
        const { page, context } = operator;
        await page.goto(new URL("/", url).href);
        await seen(page.getByText("Open the address that the command console printed"));
        await operator.visit(url, "/queues");
        await seen(page.getByRole("link", { name: "default" }));
        assert(!page.url().includes("token"), page.url());
        const second = await context.newPage();
        await second.goto(new URL("/#/queues", url).href);
        await seen(second.getByRole("link", { name: "default" }));
        await second.close();
        const kept = await page.evaluate<string>(
          "JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])",
        );
        const everything = kept + JSON.stringify(await context.storageState()) +
          await page.content();
        assert(!everything.includes(stack.secretKey));
        assertEquals((await context.cookies()).length, 0);
      },
    );

    test(
      "another page of the browser cannot ask the console, although it knows the token",
      async (operator, { url, hostedUrl }) => {
        const { page } = operator;
        await operator.visit(url);
        await page.goto(hostedUrl);
        const target = new URL("/api/queues", url).href;
        const headers = { "x-symphony-token": url.split("#token=")[1] };
        const outcome = await page.evaluate<string>(
          `fetch(${JSON.stringify(target)}, { headers: ${JSON.stringify(headers)} })
          .then((answer) => answer.text(), (error) => String(error))`,
        );
        assert(!outcome.includes("default"), outcome);
      },
    );

    test(
      "the function is down: the data stays, marked as stale, and what was typed stays too",
      async (operator, { url }) => {
        const { page } = operator;
        await operator.visit(url, "/queues/default");
        await page.getByRole("button", { name: "Limits" }).click();
        const limits = page.getByRole("dialog", { name: "Limits of default" });
        await limits.getByLabel("Weight").fill("7");
        let isDown = true;
        await page.route("**/api/**", (route) =>
          isDown
            ? route.fulfill({
              status: 502,
              json: { code: "unreachable", message: "no connection" },
            })
            : route.fallback());
        await limits.getByRole("button", { name: "Save" }).click();
        await seen(limits.getByRole("alert").filter({ hasText: "no connection" }));
        await seen(page.getByText(/^Stale: last answer/));
        await operator.isAccessible("stale");
        assertEquals(await limits.getByLabel("Weight").inputValue(), "7");
        isDown = false;
        await limits.getByRole("button", { name: "Save" }).click();
        await limits.waitFor({ state: "detached" });
        await page.getByText(/^Stale: last answer/).first().waitFor({ state: "detached" });
      },
    );

    test(
      "on a static host operators sign in, and their roles count",
      async (operator, { stack, hostedUrl }) => {
        const { page } = operator;
        await page.goto(`${hostedUrl}#/queues`);
        await seen(page.getByRole("dialog", { name: "Sign in" }));
        await operator.isAccessible("sign in");
        await signIn(operator, `${crypto.randomUUID()}@example.org`);
        await seen(page.getByRole("dialog").getByRole("alert"));
        await signIn(operator, await signUp(stack, "support"));
        await seen(page.getByRole("link", { name: "default" }));
        assertEquals(
          await page.getByRole("button", { name: /New queue|Pause default/ }).count(),
          0,
        );

        await page.getByRole("button", { name: "Sign out" }).click();
        await signIn(operator, await signUp(stack, "admin"));
        await page.getByRole("button", { name: "Pause default" }).click();
        await page.getByRole("button", { name: "Resume default" }).click();
        await seen(page.getByRole("button", { name: "Pause default" }));

        await page.getByRole("button", { name: "Sign out" }).click();
        await signIn(operator, await signUp(stack));
        await seen(page.getByText(/role/));
        assertEquals(await page.getByRole("button", { name: /Pause default/ }).count(), 0);
      },
    );

    test(
      "an expired session asks to sign in over the page, and what was typed is still there",
      async (operator, { stack, hostedUrl }) => {
        const { page } = operator;
        const email = await signUp(stack, "admin");
        await page.goto(`${hostedUrl}#/queues/default`);
        await signIn(operator, email);
        await page.getByRole("button", { name: "Limits" }).click();
        const limits = page.getByRole("dialog", { name: "Limits of default" });
        await limits.getByLabel("Weight").fill("9");
        let isExpired = true;
        await page.route(
          "**/functions/v1/messenger/**",
          (route) =>
            isExpired && route.request().method() !== "OPTIONS"
              ? route.fulfill({
                status: 401,
                headers: { "access-control-allow-origin": "*" },
                json: { code: "unauthorized", message: "The token has expired" },
              })
              : route.fallback(),
        );
        await limits.getByRole("button", { name: "Save" }).click();
        await seen(page.getByRole("dialog", { name: "Sign in" }));
        isExpired = false;
        await signIn(operator, email);
        await page.getByRole("dialog", { name: "Sign in" }).waitFor({ state: "detached" });
        assertEquals(await limits.getByLabel("Weight").inputValue(), "9");
        await limits.getByRole("button", { name: "Save" }).click();
        await limits.waitFor({ state: "detached" });
        await eventually(() => queueRow(stack, "default"), (row) => row?.["weight"] === 9);
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
