/** The console as operators have it: a stack, the command's server before it, and a browser. */

import { assertEquals } from "@std/assert";
import axe, { type AxeResults } from "axe-core";
import type { Browser, BrowserContext, Page, Response } from "playwright-core";
import { startConsole } from "../../cli/console/console-server.ts";
import { buildConsole } from "../../package/console.ts";
import { launchChromium } from "./browser.ts";
import { testsSharing } from "./shared_tests.ts";
import { startTestStack, type TestStack } from "./stack.ts";

/** Longest wait for something to be shown. */
const PATIENCE_MS = 30_000;
const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const SCHEMES = ["light", "dark"] as const;

/** The console, and the browser that shows it. */
export interface ConsoleSetup {
  readonly stack: TestStack;
  readonly browser: Browser;
  /** Addresses with their tokens. */
  readonly url: string;
  readonly readOnlyUrl: string;
  /** The page on a static host, where operators sign in. */
  readonly hostedUrl: string;
}

/** Roles of signed-in operators, as the functions know them. */
export const OPERATOR_ROLES = {
  SYMPHONY_ADMIN_ROLES: "admin",
  SYMPHONY_READ_ONLY_ROLES: "support",
};

/** Password of each account. */
export const PASSWORD = "difference";

/** Makes an account with a role, or with none. */
export async function signUp(
  { url, publishableKey, sql }: TestStack,
  role?: string,
): Promise<string> {
  const email = `${crypto.randomUUID()}@example.org`;
  const response = await fetch(`${url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: publishableKey, "content-type": "application/json" },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  assertEquals(response.status, 200, await response.text());
  const roles = role ? { role } : {};
  await sql`update auth.users set raw_app_meta_data = ${sql.json(roles)} where email = ${email}`;
  return email;
}

/** Registers tests that share one stack; each finds the bus empty and has a browser context of its own. */
export function testsOfConsole(
  messages: string,
  register: (
    test: (name: string, body: (operator: Operator, setup: ConsoleSetup) => Promise<void>) => void,
  ) => void,
): void {
  const test = testsSharing("the console", (parts) => openConsole(parts, messages));
  register((name, body) =>
    test(name, async (setup) => {
      await setup.stack.clear();
      await using operator = await Operator.open(setup.browser, setup.stack.secretKey);
      await body(operator, setup);
    })
  );
}

async function openConsole(
  parts: AsyncDisposableStack,
  messages: string,
): Promise<ConsoleSetup> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-console-" });
  parts.defer(() => Deno.remove(folder, { recursive: true }));
  await buildConsole(folder);
  const stack = await startTestStack({ messages, warmUp: true, env: OPERATOR_ROLES });
  parts.defer(() => stack.stop());
  const options = { url: stack.url, secretKey: stack.secretKey, prefix: "", port: 0, folder };
  const server = parts.use(await startConsole(options));
  const readOnly = parts.use(await startConsole({ ...options, readOnly: true }));
  const hosted = serveFolder(folder, {
    ...{ url: stack.url, publishableKey: stack.publishableKey },
    signIn: ["password", "magic_link", "github"],
  });
  parts.defer(() => hosted.shutdown());
  const hostedUrl = `http://127.0.0.1:${hosted.addr.port}/console/`;
  const browser = await launchChromium();
  parts.defer(() => browser.close());
  return { stack, browser, url: server.url, readOnlyUrl: readOnly.url, hostedUrl };
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};

/** A static host that knows nothing of the console: files below a path, and config.json. */
function serveFolder(folder: string, config: object): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const name = new URL(request.url).pathname.replace("/console/", "") || "index.html";
    if (name === "config.json") return globalThis.Response.json(config);
    const body = await Deno.readFile(`${folder}/${name}`).catch(() => null);
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "text/plain";
    return new globalThis.Response(body, {
      status: body ? 200 : 404,
      headers: { "content-type": type },
    });
  });
}

/** An operator at the console. */
export class Operator implements AsyncDisposable {
  readonly #errors: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly secretKey: string,
  ) {
    page.on("pageerror", (error: Error) => this.#errors.push(String(error)));
    page.on("console", (message) => {
      if (message.text().includes("Content Security Policy")) this.#errors.push(message.text());
    });
    page.on("response", (response) => void this.#lookForKey(response));
  }

  /** Opens a browser without anybody else's session. */
  static async open(browser: Browser, secretKey: string): Promise<Operator> {
    const context = await browser.newContext({ viewport: SIZES[0] ?? null, locale: "en" });
    context.setDefaultTimeout(PATIENCE_MS);
    return new Operator(context, await context.newPage(), secretKey);
  }

  /** The secret key belongs into no answer that reaches the browser. */
  async #lookForKey(response: Response): Promise<void> {
    const headers = await response.allHeaders().catch(() => ({}));
    const body = await response.text().catch(() => "");
    if (!(JSON.stringify(headers) + body).includes(this.secretKey)) return;
    this.#errors.push(`the secret key is in ${response.url()}`);
  }

  /** Opens the console, and goes to a place such as `/messages?type=A`. */
  async visit(url: string, place = "/"): Promise<void> {
    await this.page.goto(url);
    await this.page.getByRole("navigation").first().waitFor();
    await this.go(place);
  }

  /** Goes to another place of the console. */
  async go(place: string): Promise<void> {
    await this.page.evaluate(`location.hash = ${JSON.stringify(`#${place}`)}`);
  }

  /**
   * Checks that the page has no violation that axe knows and does not scroll sideways, light and dark, on a desk and on
   * a phone.
   */
  async isAccessible(what: string): Promise<void> {
    const { page } = this;
    await page.evaluate(axe.source);
    for (const size of SIZES) {
      for (const colorScheme of SCHEMES) {
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        const { violations } = await page.evaluate<AxeResults>("axe.run(document)");
        const found = violations.flatMap(({ id, nodes }) =>
          nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`)
        );
        await this.#photograph(what, colorScheme, size.width);
        assertEquals(found, [], `${what}, ${colorScheme}, ${size.width} px`);
        const width = await page.evaluate<number>("document.documentElement.scrollWidth");
        assertEquals(width <= size.width, true, `${what} is ${width} px wide on ${size.width}`);
      }
    }
    await page.setViewportSize(SIZES[0] ?? { width: 1280, height: 800 });
  }

  /** Into the folder SYMPHONY_TEST_SCREENSHOTS, if it is set. */
  async #photograph(what: string, scheme: string, width: number): Promise<void> {
    const folder = Deno.env.get("SYMPHONY_TEST_SCREENSHOTS");
    if (!folder) return;
    const name = what.replace(/[^a-z0-9]+/gi, "-");
    const height = await this.page.evaluate<number>("document.documentElement.scrollHeight");
    await this.page.screenshot({
      path: `${folder}/${name}-${scheme}-${width}.png`,
      fullPage: true,
      clip: { x: 0, y: 0, width, height: Math.min(height, 1_600) },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
    assertEquals(this.#errors, [], "errors of the page");
  }
}
