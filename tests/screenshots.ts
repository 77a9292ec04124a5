/**
 * Takes the screenshots of docs/console.md: each page of the console, light and dark, 1280 and 390 px wide.
 *
 *   deno task screenshots [--only=transports,transport] [folder]
 */

import { parseArgs } from "@std/cli/parse-args";
import type { Page } from "playwright-core";
import postgres from "postgres";
import { startConsole } from "../cli/console/console-server.ts";
import { startStack } from "../local/stack.ts";
import { buildConsole, endBuilds } from "../package/console.ts";
import { launchChromium } from "./support/browser.ts";
import { seedConsole, type Seeded } from "./support/console_seed.ts";

const SIZES = [{ width: 1280, height: 800 }, { width: 390, height: 844 }];
const SCHEMES = ["light", "dark"] as const;
/** Tallest picture, in px. */
const TALLEST = 1_600;
/** For all pictures together, in bytes. */
const LIMIT = 6_500_000;

/** A page, and what an operator does there before the picture is taken. */
type Shot = readonly [name: string, place: string, act?: (page: Page) => Promise<unknown>];

const shotsOf = (seeded: Seeded): readonly Shot[] => [
  ["overview", "/"],
  ["messages", "/messages"],
  ["message", `/messages/${seeded.message}`],
  ["dead-letters", "/dead-letters"],
  ["dead-letter", `/dead-letters/${seeded.deadLetter}`],
  [
    "payload-editor",
    `/dead-letters/${seeded.toBeMended}`,
    (page) => page.getByRole("button", { name: "Edit and redrive" }).click(),
  ],
  ["redrive-of-25000", "/dead-letters", async (page) => {
    const row = page.getByRole("row", { name: /ETIMEDOUT/ });
    await row.getByRole("button", { name: "Redrive…" }).click();
    await page.getByRole("button", { name: "Redrive 25,000" }).waitFor();
  }],
  ["queues", "/queues"],
  ["queue", "/queues/mail"],
  ["lanes", "/queues/tenants"],
  ["schedules", "/schedules"],
  ["calendar", "/schedules/calendar"],
  ["schedule", `/schedules/${seeded.schedule}`],
  ["schedule-form", `/schedules/${seeded.schedule}/edit`],
  ["batches", "/batches"],
  ["batch", `/batches/${seeded.batch}`],
  ["events", "/events"],
  ["ticks", "/ticks"],
  ["alerts", "/alerts"],
  ["alert", "/alerts/dead-letters"],
  ["channels", "/alerts?view=channels"],
  ["transports", "/transports"],
  ["transport", "/transports/events"],
  ["outbox", "/transports?view=outbox"],
  ["webhooks", "/webhooks"],
  ["webhook", "/webhooks/acme"],
  ["webhook-deliveries", "/webhooks?view=deliveries"],
  ["actions", "/actions"],
];

async function takeAll(
  url: string,
  shots: readonly Shot[],
  folder: string,
): Promise<number> {
  await using browser = await launchChromium();
  let bytes = 0;
  for (const viewport of SIZES) {
    for (const colorScheme of SCHEMES) {
      const options = { viewport, colorScheme, reducedMotion: "reduce", locale: "en" } as const;
      await using context = await browser.newContext(options);
      const page = await context.newPage();
      await page.goto(url);
      await page.getByRole("navigation").first().waitFor();
      for (const [name, place, act] of shots) {
        await page.evaluate(`location.hash = ${JSON.stringify(`#${place}`)}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await act?.(page);
        await page.waitForLoadState("networkidle");
        await page.locator(".skeleton, .chart-skeleton").first().waitFor({ state: "detached" });
        const height = await page.evaluate<number>("document.documentElement.scrollHeight");
        const picture = await page.screenshot({
          path: `${folder}/${name}-${colorScheme}-${viewport.width}.jpg`,
          ...{ type: "jpeg", quality: 62, fullPage: true },
          clip: { x: 0, y: 0, width: viewport.width, height: Math.min(height, TALLEST) },
        });
        bytes += picture.length;
        await page.keyboard.press("Escape");
      }
    }
  }
  return bytes;
}

const { only, _: [given] } = parseArgs(Deno.args, { string: ["only", "_"] });
const folder = given ?? new URL("../docs/console", import.meta.url).pathname;
const dataDir = await Deno.makeTempDir({ prefix: "symphony-screenshots-" });
try {
  const built = `${dataDir}/console`;
  await buildConsole(built);
  await endBuilds();
  await using stack = await startStack({
    ...{ dataDir: `${dataDir}/stack`, durable: false, migrate: "sql", cron: false, net: false },
    messages: new URL("./support/routed_messages", import.meta.url).pathname,
  });
  const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
  const seeded = await seedConsole(sql);
  await sql.end();
  const options = {
    url: stack.url,
    secretKey: stack.secretKey,
    prefix: "",
    port: 0,
    folder: built,
  };
  await using server = await startConsole(options);
  const wanted = only?.split(",");
  const shots = shotsOf(seeded).filter(([name]) => wanted?.includes(name) ?? true);
  const bytes = await takeAll(server.url, shots, folder);
  console.log(`The screenshots are in ${folder}: ${Math.round(bytes / 1_000)} kB`);
  if (bytes > LIMIT) throw new Error(`the screenshots have ${bytes} bytes; at most ${LIMIT}`);
} finally {
  await Deno.remove(dataDir, { recursive: true });
}
