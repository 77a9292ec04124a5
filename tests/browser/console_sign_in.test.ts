/** Sign-in of the console on a static host, beside the password: by a link, and by a provider. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { signUp, testsOfConsole } from "../support/console_page.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "a link signs in once, in the browser that asked for it, at the page that was open",
      async (operator, { stack, hostedUrl }) => {
        const { page, context } = operator;
        const email = await signUp(stack, "admin");
        await page.goto(`${hostedUrl}#/queues`);
        const dialog = page.getByRole("dialog", { name: "Sign in" });
        await dialog.getByLabel("E-mail").fill("mallory@example.org");
        await dialog.getByRole("button", { name: "Send me a link" }).click();
        await seen(page.getByText(/Send me a link: Signups not allowed/));
        await dialog.getByLabel("E-mail").fill(email);
        await dialog.getByRole("button", { name: "Send me a link" }).click();
        await seen(page.getByText(`A link is on its way to ${email}`));
        const [mail] = await stack.sql<{ token: string }[]>`
          select token_hash as token from auth.one_time_tokens`;
        const link = `${stack.url}/auth/v1/verify?token=${mail?.token}&type=magiclink` +
          `&redirect_to=${encodeURIComponent(hostedUrl)}`;
        const second = await context.newPage();
        await second.goto(link);
        await seen(second.getByRole("heading", { name: "Overview" }));
        assertEquals(new URL(second.url()).search, "");
        // The tab that asked is signed in as well.
        await seen(page.getByRole("link", { name: "default" }));
        await dialog.waitFor({ state: "detached" });
        await second.goto(link);
        await seen(second.getByText("Email link is invalid or has expired"));
        await second.close();
      },
    );

    test(
      "a provider leads back to the page that was open, and its user has the rights of its role",
      async (operator, { stack, hostedUrl }) => {
        const { page } = operator;
        await page.goto(`${hostedUrl}#/queues`);
        await page.getByRole("button", { name: "Sign in with github" }).click();
        await seen(page.getByText(/role/));
        assertEquals(new URL(page.url()).hash, "#/queues");
        assertEquals(new URL(page.url()).search, "");
        await stack.sql`update auth.users set raw_app_meta_data = '{"role":"support"}'
          where email = 'github@example.org'`;
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("button", { name: "Sign in with github" }).click();
        await seen(page.getByRole("link", { name: "default" }));
        assertEquals(await page.getByRole("button", { name: "New queue" }).count(), 0);
      },
    );
  });
} else {
  Deno.test({
    name: `sign-in to the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
