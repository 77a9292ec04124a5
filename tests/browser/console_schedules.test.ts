/** Schedules in the console: an operator makes one, sees it run, and finds it in the calendar. */

import { assert, assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { type Operator, testsOfConsole } from "../support/console_page.ts";
import { clearManaged } from "../support/management.ts";
import type { TestStack } from "../support/stack.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;

/** Fills the form of a new schedule that runs each minute. */
async function fillForm({ page }: Operator, name: string): Promise<void> {
  await page.getByLabel("Cron expression", { exact: true }).last().fill("* * * * *");
  await page.getByLabel("Message type").fill("Note");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Payload, as JSON").fill('{"text":"hello"}');
}

/** Makes the schedules due, as a minute later they are, and runs a tick. */
async function tickLater(stack: TestStack): Promise<void> {
  await stack.sql`update public.messenger_schedules set next_run_at = date_trunc('minute', now())
    where schedule_type = 'cron' and cron = '* * * * *'`;
  await stack.tick();
}

/** Schedules of each kind, with runs of each outcome. */
async function fill({ sql }: TestStack): Promise<void> {
  await sql`insert into public.messenger_schedules
      (name, message_type, payload, schedule_type, cron, interval_ms, timezone, next_run_at, enabled, disabled_by,
       disabled_reason)
    values
      ('daily digest', 'Note', '{"text":"x"}', 'cron', '0 9 * * 1-5', null, 'Europe/Berlin', null, true, null, null),
      ('heartbeat', 'Note', '{"text":"x"}', 'interval', null, 60000, 'UTC', null, true, null, null),
      ('hourly report', 'Note', '{"text":"x"}', 'cron', '15 * * * *', null, 'UTC', null, true, null, null),
      ('clean up', 'Note', '{"text":"x"}', 'cron', '0 0,6,12,18 * * *', null, 'UTC', null, true, null, null),
      ('newsletter', 'Note', '{"text":"x"}', 'cron', '0 12 1 * *', null, 'Asia/Tokyo', null, false, 'pause', 'holidays'),
      ('<b>broken</b>', 'Note', '{"text":"x"}', 'cron', '99 * * * *', null, 'UTC', null, false, 'invalid',
       'cron: the minute has to be from 0 to 59')`;
  await sql`insert into public.messenger_schedule_runs
      (schedule_id, occurrence, run, message_id, outcome, reason, enqueued_at, finished_at)
    select s.id, now() - n * interval '1 day', n, n + s.id * 100,
      (array['handled', 'failed', 'handled', 'skipped', 'handled', 'handled'])[n],
      (array[null, 'connect ETIMEDOUT', null, 'overlap: the run before is not done', null, null])[n],
      now() - n * interval '1 day' + interval '1 second', now() - n * interval '1 day' + interval '3 seconds'
    from public.messenger_schedules s, generate_series(1, 6) n`;
}

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "an operator makes a cron schedule, sees its times and its words, and sees it run",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        const { page } = operator;
        await operator.visit(url, "/schedules");
        await page.getByRole("link", { name: "New schedule" }).click();
        await fillForm(operator, "minutely");
        const preview = page.getByRole("complementary");
        await seen(preview.getByText("Every minute"));
        await preview.getByRole("listitem").nth(5).waitFor();
        await page.getByRole("button", { name: "weekdays at 9" }).click();
        await seen(preview.getByText("At 09:00, Monday through Friday"));
        await page.getByLabel("Time zone").fill("Asia/Tokyo");
        await seen(preview.getByText("+09:00"));
        await operator.isAccessible("new schedule");
        await page.getByLabel("Time zone").fill("UTC");
        await page.getByLabel("Cron expression", { exact: true }).last().fill("* * * * *");
        await page.getByRole("button", { name: "Create schedule" }).click();

        await seen(page.getByRole("heading", { name: "minutely" }));
        await seen(page.getByText("It has not run yet"));
        await tickLater(stack);
        await seen(page.getByRole("row").getByText("Handled"));
        assertEquals((await stack.effects()).map(({ payload }) => payload), [{ text: "hello" }]);
        await operator.go("/schedules");
        await seen(page.getByRole("row", { name: /minutely.*Every minute.*Enabled.*Handled/ }));
      },
    );

    test(
      "a schedule is run now, paused with a reason, resumed, edited and deleted",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        await fill(stack);
        const { page } = operator;
        await operator.visit(url, "/schedules?name=hourly%20report");
        await page.getByRole("link", { name: "hourly report" }).click();
        await page.getByRole("button", { name: "Run now" }).click();
        await seen(page.getByText(/hourly report is triggered: message \d+/));
        await seen(page.getByRole("row").getByText("triggered"));

        await page.getByRole("button", { name: "Pause", exact: true }).click();
        await page.getByLabel("Reason").fill("holidays");
        await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
        await seen(page.getByText("Paused", { exact: true }));
        await seen(page.getByRole("paragraph").getByText("holidays"));
        await page.getByRole("button", { name: "Resume" }).click();
        await seen(page.getByText("Enabled", { exact: true }));

        await page.getByRole("link", { name: "Edit" }).click();
        await page.getByLabel("Cron expression", { exact: true }).last().fill("45 * * * *");
        await page.getByText("More options").click();
        await page.getByLabel("Ends after runs").fill("100");
        await page.getByRole("button", { name: "Save changes" }).click();
        await seen(page.getByText("hourly report is changed"));
        await seen(page.getByRole("heading", { name: "At 45 minutes past the hour" }));
        const [stored] = await stack.sql<{ cron: string; max_runs: number; payload: unknown }[]>`
        select cron, max_runs, payload from public.messenger_schedules where name = 'hourly report'`;
        assertEquals({ ...stored }, { cron: "45 * * * *", max_runs: 100, payload: { text: "x" } });

        await page.getByRole("button", { name: "Delete" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
        await seen(page.getByText("hourly report is deleted"));
        await seen(page.getByRole("row", { name: /daily digest/ }));
        assertEquals(await page.getByRole("row", { name: /hourly report/ }).count(), 0);
      },
    );

    test(
      "errors stand at their fields, and what was typed outlives them and a walk to another page",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        const { page } = operator;
        await operator.visit(url, "/schedules/new");
        await fillForm(operator, "typed");
        const problem = (label: string) =>
          page.locator(".field").filter({ has: page.getByLabel(label, { exact: true }) })
            .locator(".field-error");
        await page.getByLabel("Cron expression", { exact: true }).last().fill("61 * * * *");
        await problem("Cron expression").waitFor();
        await page.getByLabel("Cron expression", { exact: true }).last().fill("* * * * *");
        await page.getByLabel("Time zone").fill("Mars/Base");
        await seen(problem("Time zone").getByText(/unknown IANA time zone/));
        await page.getByLabel("Time zone").fill("UTC");
        await page.getByLabel("Payload, as JSON").fill("{");
        await seen(problem("Payload, as JSON").getByText("has to be JSON"));
        await page.getByLabel("Payload, as JSON").fill('{"text":5}');
        await page.getByRole("button", { name: "Create schedule" }).click();
        await seen(problem("Payload, as JSON").getByText(/^text: /));
        await operator.go("/queues");
        await seen(page.getByRole("heading", { name: "Queues" }));
        await operator.go("/schedules/new");
        assertEquals(await page.getByLabel("Payload, as JSON").inputValue(), '{"text":5}');
        assertEquals(await page.getByLabel("Name", { exact: true }).inputValue(), "typed");
      },
    );

    test(
      "the list, a schedule and its day are pages that anyone can use",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        await fill(stack);
        await stack.tick();
        const { page } = operator;
        await operator.visit(url, "/schedules");
        await seen(page.getByText("At 09:00, Monday through Friday"));
        await seen(page.getByText("<b>broken</b>"));
        await operator.isAccessible("schedules");
        await page.getByRole("link", { name: "daily digest" }).click();
        await seen(page.getByText("Europe/Berlin"));
        await seen(page.getByRole("row", { name: /connect ETIMEDOUT/ }));
        await operator.isAccessible("schedule");
        await operator.go("/schedules/calendar");
        const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
        await page.getByLabel("Day", { exact: true }).fill(tomorrow);
        await seen(page.getByRole("img", { name: /^4 runs: 00:00, 06:00, 12:00, 18:00$/ }));
        await seen(page.getByRole("img", { name: /^24 runs: 00:15, 01:15/ }));
        await operator.isAccessible("calendar of tomorrow");
        await page.getByRole("button", { name: "Today" }).click();
        await seen(page.getByRole("img", { name: /runs?: / }));
        await operator.isAccessible("calendar");
        await page.getByRole("button", { name: "List" }).click();
        await seen(page.getByRole("row", { name: /heartbeat/ }));
        await operator.isAccessible("calendar as a list");
      },
    );

    test(
      "a change that another operator made meanwhile stays",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        await fill(stack);
        const { page } = operator;
        await operator.visit(url, "/schedules?name=hourly%20report");
        await page.getByRole("link", { name: "hourly report" }).click();
        await page.getByRole("link", { name: "Edit" }).click();
        await page.getByLabel("Cron expression", { exact: true }).last().fill("45 * * * *");
        await operator.go("/queues");
        await seen(page.getByRole("heading", { name: "Queues" }));
        await stack.sql`update public.messenger_schedules set max_runs = 7
        where name = 'hourly report'`;
        await page.goBack();
        await seen(page.getByText("It was changed since you began"));
        await page.getByRole("button", { name: "Save changes" }).click();
        await seen(page.getByText("hourly report is changed"));
        const [stored] = await stack.sql<{ cron: string; max_runs: number }[]>`
        select cron, max_runs from public.messenger_schedules where name = 'hourly report'`;
        assertEquals({ ...stored }, { cron: "45 * * * *", max_runs: 7 });
      },
    );

    test("a schedule that cannot run says why", async (operator, { stack, url }) => {
      await clearManaged(stack);
      await fill(stack);
      await stack.sql`update public.messenger_schedules set message_type = 'Nothing'
        where name = 'clean up'`;
      const { page } = operator;
      await operator.visit(url, "/schedules");
      await page.getByRole("button", { name: "Run now: clean up" }).click();
      await seen(page.getByText(/^clean up: .*Nothing/));
      await page.getByRole("button", { name: "Resume: <b>broken</b>" }).click();
      await seen(page.getByText(/^<b>broken<\/b>: .*cron/));
    });

    test("of ten thousand schedules a page asks for fifty", async (operator, { stack, url }) => {
      await clearManaged(stack);
      await stack.sql`insert into public.messenger_schedules
          (name, message_type, schedule_type, cron, next_run_at)
        select 'schedule ' || n, 'Note', 'cron', '*/10 * * * *', now() + n * interval '1 second'
        from generate_series(1, 10000) n`;
      const { page } = operator;
      const asked: number[] = [];
      page.on("request", (request) => {
        const { pathname, searchParams } = new URL(request.url());
        if (pathname.startsWith("/api/schedules")) asked.push(Number(searchParams.get("limit")));
      });
      await operator.visit(url, "/schedules");
      await seen(page.getByRole("link", { name: "schedule 50", exact: true }));
      assertEquals(await page.getByRole("row").count(), 51);
      await page.getByRole("button", { name: "Next" }).click();
      await seen(page.getByRole("link", { name: "schedule 100", exact: true }));
      await operator.go("/schedules/calendar");
      await seen(page.getByRole("link", { name: "schedule 50", exact: true }));
      assert(asked.length > 0 && asked.every((limit) => limit === 50), asked.join());
    });

    test(
      "a read-only operator sees schedules and can change none",
      async (operator, { stack, readOnlyUrl }) => {
        await clearManaged(stack);
        await fill(stack);
        const { page } = operator;
        await operator.visit(readOnlyUrl, "/schedules");
        await seen(page.getByRole("link", { name: "daily digest" }));
        assertEquals(await page.getByRole("link", { name: "New schedule" }).count(), 0);
        const changes = page.getByRole("main").getByRole("button", {
          name: /Run now|Pause|Resume|Delete/,
        });
        assertEquals(await changes.count(), 0);
        await page.getByRole("link", { name: "daily digest" }).click();
        await seen(page.getByRole("row", { name: /connect ETIMEDOUT/ }));
        assertEquals(await changes.count(), 0);
        await operator.go("/schedules/new");
        await seen(page.getByText("You may read only"));
      },
    );
  });
} else {
  Deno.test({
    name: `schedules in the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
