/** The example as its users have it: a stack with Realtime, its page, and a browser. */

import { assertEquals } from "@std/assert";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { servePage } from "../../examples/frontend/page.ts";
import { countOpen, launchChromium } from "./browser.ts";
import { testsSharing } from "./shared_tests.ts";
import { type Realtime, startRealtime } from "./realtime.ts";
import { startTestStack, type TestStack } from "./stack.ts";

/** The example's message definitions. */
export const MESSAGES: string =
  new URL("../../examples/frontend/messages", import.meta.url).pathname;

/** Longest wait for something to be shown. */
const PATIENCE_MS = 30_000;

/** The example, and the browser that shows it. */
export interface Example {
  readonly stack: TestStack;
  readonly browser: Browser;
  readonly realtime: Realtime;
  readonly url: string;
}

/**
 * Registers tests that share one example, each with a user of its own. The bus is not emptied between them:
 * that waits until the tick of the test before has ended.
 */
export function testsOfExample(
  register: (
    test: (name: string, body: (visitor: Visitor, example: Example) => Promise<void>) => void,
  ) => void,
): void {
  const test = testsSharing("the example", openExample);
  register((name, body) =>
    test(name, async (example) => {
      await using visitor = await Visitor.signUp(example);
      await body(visitor, example);
    })
  );
}

/** Starts a stack with the example's messages and Realtime, its page, and a browser. */
async function openExample(parts: AsyncDisposableStack): Promise<Example> {
  const stack = await startTestStack({
    messages: MESSAGES,
    net: true,
    warmUp: true,
    // A heartbeat every 2 s: a job that is cancelled learns of it then.
    env: { SYMPHONY_WORKER_LEASE_MS: "6000" },
  });
  parts.defer(() => stack.stop());
  const realtime = await startRealtime(stack);
  parts.defer(() => realtime.stop());
  const page = await servePage({ url: realtime.url, publishableKey: stack.publishableKey });
  parts.defer(() => page.stop());
  const browser = await launchChromium();
  parts.defer(() => browser.close());
  return { stack, browser, realtime, url: page.url };
}

/** A user at the page, in a browser without anybody else's session. */
export class Visitor implements AsyncDisposable {
  readonly #errors: string[] = [];
  readonly email = `${crypto.randomUUID()}@example.org`;

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly stack: TestStack,
  ) {
    page.on("pageerror", (error: Error) => this.#errors.push(String(error)));
  }

  /** Opens the page; makes an account, so that the user is signed in. */
  static async signUp({ browser, url, stack }: Example): Promise<Visitor> {
    const context = await browser.newContext();
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await countOpen(page);
    await page.goto(url);
    const visitor = new Visitor(context, page, stack);
    await visitor.enter("Make an account");
    return visitor;
  }

  /** Fills the sign-in and presses one of its buttons. */
  async enter(button: "Make an account" | "Sign in"): Promise<void> {
    await this.page.getByLabel("E-mail").fill(this.email);
    await this.page.getByLabel("Password").fill("difference");
    await this.page.getByRole("button", { name: button }).click();
    await this.page.getByRole("heading", { name: "Jobs" }).waitFor();
  }

  /** Signs out, as the user does. */
  async leave(): Promise<void> {
    await this.page.getByRole("button", { name: "Sign out" }).click();
    await this.page.getByText("You are signed out.").waitFor();
  }

  /** The card of a type of message, by its title. */
  card(title: string): Card {
    return new Card(this.page.getByRole("article", { name: title }));
  }

  /** Waits for the word of the header's connection. */
  async connected(word: string): Promise<void> {
    await this.page.getByRole("banner").locator(".badge").filter({ hasText: word }).waitFor();
  }

  /** How many messages of each type the user has dispatched, whatever became of them. */
  async written(): Promise<Record<string, number>> {
    const rows = await this.stack.sql<{ type: string; n: number }[]>`
      select type, count(*)::int as n from (
        select type, stamps #>> '{user,id}' as user_id from public.messenger_messages
        union all
        select type, stamps #>> '{user,id}' from public.messenger_failed_messages
        union all
        select type, user_id from public.messenger_handled_messages
      ) messages
      where user_id = (select id::text from auth.users where email = ${this.email})
      group by type order by type`;
    return Object.fromEntries(rows.map(({ type, n }) => [type, n]));
  }

  /** How many channels of Realtime the page has. */
  channels(): Promise<number> {
    return this.page.evaluate(
      'import("/src/project.ts").then(({ supabase }) => supabase.getChannels().length)',
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    assertEquals(this.#errors, [], "errors of the page");
  }
}

/** A card: its form, and the state of its job. */
export class Card {
  constructor(readonly root: Locator) {}

  /** Fills the one field and presses the button, which has this name. */
  async start(value: string | undefined, button: string): Promise<void> {
    if (value !== undefined) await this.root.locator("input").fill(value);
    await this.root.getByRole("button", { name: button }).click();
  }

  /** Waits for the word of the state. */
  async shows(word: string): Promise<void> {
    await this.root.locator(".job > .job-line .badge").filter({ hasText: word }).waitFor();
  }

  /** Waits for a text. */
  async says(text: string | RegExp): Promise<void> {
    await this.root.getByText(text).first().waitFor();
  }

  /** The id that is shown. */
  async id(): Promise<string> {
    return (await this.root.locator(".id").textContent() ?? "").slice(1);
  }

  /** The share that the bar shows. */
  share(): Promise<number> {
    return this.root.locator("progress").getAttribute("value").then(Number);
  }
}
