/** The example in a browser. React's StrictMode is on: each effect runs twice. */

import { assertEquals, assertNotEquals } from "@std/assert";
import type { Response, Route } from "playwright-core";
import { CHROMIUM, hasChromium, type Open, openIn, seen } from "../support/browser.ts";
import { testsOfExample } from "../support/example_page.ts";
import { eventually } from "../support/stack.ts";

/** Lets the token of the session end soon: the next request needs another one. */
const EXPIRE = `for (const [name, text] of Object.entries(localStorage)) {
  if (!name.endsWith("-auth-token")) continue;
  const session = JSON.parse(text);
  session.expires_at = Math.floor(Date.now() / 1000) + 5;
  localStorage.setItem(name, JSON.stringify(session));
}`;

if (hasChromium) {
  testsOfExample((test) => {
    test(
      "two jobs at once each show their progress, the countdown to their retry, and their end",
      async (visitor) => {
        const report = visitor.card("Export a report");
        const calendar = visitor.card("Sync a calendar");
        await report.start("1", "Export");
        await report.says(/payload\.pages: /);
        await report.start("4", "Try again");
        await calendar.start("rehearsals", "Sync");
        await Promise.all([
          report.says(/^page \d of 4$/),
          report.says(/^Tries again in [1-4] s, attempt 2 of 4$/),
          calendar.says("connects to rehearsals"),
          calendar.says(/^Tries again in [1-3] s, attempt 2 of 2$/),
        ]);
        assertNotEquals(await report.share(), await calendar.share());
        await calendar.shows("Dead letter");
        await calendar.says(/\(exhausted\): no retry is left after 2 attempts/);
        const first = await calendar.id();
        await calendar.start(undefined, "Dispatch again");
        await report.shows("Done");
        assertEquals(await report.share(), 1);
        await eventually(() => calendar.id(), (id) => id !== first);
        await calendar.shows("Dead letter");
        assertEquals(await visitor.written(), { ExportReport: 1, SyncCalendar: 2 });
      },
    );

    test(
      "a reload continues, another tab shows the same job, cancels it, and signs both out",
      async (visitor, { stack, url }) => {
        const video = visitor.card("Render a video");
        await video.start("60", "Render");
        await video.says(/^scene \d+ of 120$/);
        const id = await video.id();
        const other = await visitor.context.newPage();
        await Promise.all([visitor.page.reload(), other.goto(url)]);
        const row = other.getByRole("listitem").filter({ hasText: `#${id}` });
        await seen(row.filter({ hasText: "Running" }));
        await video.says(/^scene \d+ of 120$/);
        assertEquals(await video.id(), id);
        await row.getByRole("button", { name: "Cancel" }).click();
        await video.shows("Cancelled");
        await seen(row.filter({ hasText: "Cancelled" }));
        const [dead] = await stack.sql`
          select reason from public.messenger_failed_messages where id = ${id}`;
        assertEquals(dead, { reason: "cancelled" });
        assertEquals(await visitor.written(), { RenderVideo: 1 });
        await other.getByRole("button", { name: "Sign out" }).click();
        await seen(visitor.page.getByText("You are signed out."));
      },
    );

    test("a job that loses the network continues when it is back", async (visitor) => {
      const video = visitor.card("Render a video");
      await video.start("30", "Render");
      await video.says(/^scene \d+ of 60$/);
      await visitor.context.setOffline(true);
      await visitor.connected("Offline");
      await visitor.context.setOffline(false);
      const share = await video.share();
      await eventually(() => video.share(), (later: number) => later > share);
      assertEquals(await visitor.written(), { RenderVideo: 1 });
    });

    test(
      "a click after requests without an answer makes no second message",
      async (visitor) => {
        const video = visitor.card("Render a video");
        const lose = async (route: Route) => {
          await route.fetch();
          await route.abort();
        };
        const dispatch = "**/functions/v1/dispatch";
        await visitor.page.route(dispatch, lose);
        await video.start("1", "Render");
        await seen(video.root.getByRole("button", { name: "Try again" }));
        await visitor.page.unroute(dispatch, lose);
        await video.start(undefined, "Try again");
        await video.shows("Done");
        assertEquals(await visitor.written(), { RenderVideo: 1 });
      },
    );

    test(
      "a new token in the middle changes nothing",
      async (visitor, { realtime }) => {
        const video = visitor.card("Render a video");
        await video.start("30", "Render");
        await visitor.connected("Live");
        const joins = realtime.joined.length;
        const refreshed = visitor.page.waitForResponse((response: Response) =>
          response.url().includes("grant_type=refresh_token")
        );
        await visitor.page.evaluate(EXPIRE);
        await visitor.card("Sync a calendar").start(undefined, "Sync");
        assertEquals((await refreshed).status(), 200);
        const share = await video.share();
        await eventually(() => video.share(), (later: number) => later > share);
        await visitor.card("Sync a calendar").shows("Dead letter");
        assertEquals(realtime.joined.length, joins);
        assertEquals(await visitor.written(), { RenderVideo: 1, SyncCalendar: 1 });
      },
    );

    test(
      "a user who signs out in the middle leaves nothing open, and finds the job again",
      async (visitor) => {
        const opened: Open[] = [];
        for (const button of ["Render", undefined, undefined]) {
          const video = visitor.card("Render a video");
          if (button) await video.start("60", button);
          const row = visitor.page.getByRole("listitem").filter({ hasText: "Render a video" });
          await seen(row.filter({ hasText: /scene|Attempt 1/ }));
          await visitor.connected("Live");
          await visitor.leave();
          await eventually(() => visitor.channels(), (channels) => channels === 0);
          opened.push(
            await eventually(
              () => openIn(visitor.page),
              ({ timeouts }) => timeouts <= (opened[0]?.timeouts ?? Infinity),
            ),
          );
          await visitor.enter("Sign in");
        }
        // Vite has one, and supabase-js keeps one of Realtime for a while.
        assertEquals(opened[0]?.sockets, ["/", "/realtime/v1/websocket"]);
        assertEquals(opened[1], opened[0]);
        assertEquals(opened[2], opened[0]);
        await visitor.page.getByRole("button", { name: /^Cancel Render/ }).click();
        await seen(visitor.page.getByRole("listitem").filter({ hasText: "Cancelled" }));
        assertEquals(await visitor.written(), { RenderVideo: 1 });
      },
    );

    test(
      "a user makes, changes, pauses and deletes a schedule of their own",
      async ({ page }, { stack }) => {
        const form = page.getByRole("form", { name: "New schedule" });
        await form.getByLabel("Pages").fill("2");
        await form.getByLabel("Interval").fill("0");
        await form.getByRole("button", { name: "Schedule" }).click();
        await seen(page.getByRole("alert").filter({ hasText: "interval: " }));
        await form.getByLabel("Interval").fill("3600");
        await form.getByRole("button", { name: "Schedule" }).click();
        const row = page.getByRole("listitem").filter({ hasText: "A report of 2 pages" });
        await seen(row.filter({ hasText: "Every 1 h" }));
        await row.getByRole("button", { name: /^Change/ }).click();
        const change = page.getByRole("form", { name: /^Change/ });
        await change.getByLabel("Pages").fill("3");
        await change.getByLabel("Interval").fill("90");
        await change.getByRole("button", { name: "Save" }).click();
        const changed = page.getByRole("listitem").filter({ hasText: "A report of 3 pages" });
        await seen(changed.filter({ hasText: "Every 1 min 30 s" }));
        await changed.getByRole("button", { name: /^Pause/ }).click();
        await seen(changed.filter({ hasText: "Paused" }));
        await changed.getByRole("button", { name: /^Resume/ }).click();
        await seen(changed.filter({ hasText: "Active" }));
        await changed.getByRole("button", { name: /^Delete/ }).click();
        await seen(page.getByText("None yet: a schedule"));
        const heading = page.getByRole("heading", { name: "My schedules" });
        await heading.and(page.locator(":focus")).waitFor();
        const [count] = await stack.sql`
          select count(*)::int as n from public.messenger_schedules`;
        assertEquals(count?.["n"], 0);
      },
    );
  });
} else {
  Deno.test({
    name: `the example in a browser: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
