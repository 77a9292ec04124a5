/** Batches, events, ticks and the action log in the console. */

import { assertEquals } from "@std/assert";
import { CHROMIUM, hasChromium, seen } from "../support/browser.ts";
import { testsOfConsole } from "../support/console_page.ts";
import { clearManaged } from "../support/management.ts";

const MESSAGES = new URL("../support/messages", import.meta.url).pathname;
const note = { type: "Note", payload: { text: "x" } };
const count = { type: "Count", payload: { n: 1 } };

if (hasChromium) {
  testsOfConsole(MESSAGES, (test) => {
    test(
      "a batch is found by its name, shown with its progress, and cancelled",
      async (operator, { stack, url }) => {
        await clearManaged(stack);
        await stack.sql`truncate public.messenger_batches, messenger.batch_chunks`;
        const made = (name: string, messages: unknown[]) =>
          stack.post("dispatch/batches", { name, messages }).then((response) => response.json());
        await made("reports", [note, note, count]);
        await stack.tick();
        const later = { ...note, delay: "1h" };
        const { batchId } = await made("<i>import</i>", [later, later, later]);
        const { page } = operator;
        await operator.visit(url, "/batches");
        await seen(page.getByRole("row", { name: /reports.*3 of 3/ }));
        await seen(page.getByRole("row", { name: /<i>import<\/i>.*0 of 3/ }));
        await operator.isAccessible("batches");
        await page.getByLabel("Name").fill("<i>import</i>");
        await page.getByText("reports").waitFor({ state: "detached" });
        await page.getByRole("link", { name: "<i>import</i>" }).click();
        await seen(page.getByRole("heading", { name: "<i>import</i>" }));
        await seen(page.getByRole("row", { name: /Note Waiting/ }));
        await operator.isAccessible("batch");
        await page.getByRole("button", { name: "Cancel batch" }).click();
        await seen(page.getByRole("dialog").getByText(/3 members wait or run/));
        await page.getByRole("dialog").getByRole("button", { name: "Cancel batch" }).click();
        await seen(page.getByText("<i>import</i>: 3 members are cancelled"));
        await seen(page.getByText("Cancelled", { exact: true }));
        await page.getByLabel("State").selectOption("Cancelled");
        await page.getByRole("row", { name: /Note Cancelled/ }).nth(2).waitFor();
        const [line] = await stack.sql<{ action: string; target: unknown }[]>`
        select action, target from public.messenger_actions`;
        assertEquals({ ...line }, { action: "cancel_batch", target: { id: batchId } });
      },
    );

    test(
      "events are listed and shown, and the messages that wait for them lead to their pages",
      async (operator, { stack, url }) => {
        await stack.sql`truncate public.messenger_events`;
        const [id] = await stack.dispatch({ type: "Approval", payload: { order: "42" } });
        await stack.tick();
        await stack
          .sql`select public.messenger_emit('paid:7', '{"amount":1250,"note":"<script>alert(1)</script>"}'),
        public.messenger_emit('paid:8')`;
        const { page } = operator;
        await operator.visit(url, "/events");
        await seen(page.getByRole("link", { name: "paid:8" }));
        await operator.isAccessible("events");
        await page.getByRole("link", { name: "paid:7" }).click();
        await seen(page.getByRole("dialog").getByText("<script>alert(1)</script>"));
        await operator.isAccessible("event");
        await page.getByRole("button", { name: "Close" }).click();
        await page.getByRole("link", { name: "Messages that wait" }).click();
        await seen(page.getByRole("row", { name: /Approval.*approved:42/ }));
        await operator.isAccessible("messages that wait");
        await page.getByRole("link", { name: id ?? "" }).click();
        await seen(page.getByRole("heading", { level: 1 }));
        assertEquals(new URL(page.url()).hash, `#/messages/${id}`);
      },
    );

    test(
      "ticks and workers are shown with their state and what they did",
      async (operator, { stack, url }) => {
        await stack.sql`truncate public.messenger_ticks`;
        await stack.dispatch([note, note]);
        await stack.tick();
        await stack.sql`insert into public.messenger_ticks
          (asked_at, started_at, heartbeat_at, rested_at, ended_at, report, worker, queues)
        values
          (now() - interval '2 hours', now() - interval '2 hours', now(), now() - interval '2 hours', null,
           '{"claimed":4200,"handled":4180,"retried":15,"failed":5}', 'render-1', array['render', 'mail']),
          (now() - interval '10 minutes', null, null, null, null, null, null, null),
          (now() - interval '10 minutes', now() - interval '10 minutes', now() - interval '9 minutes', null, null,
           null, null, null)`;
        const { page } = operator;
        await operator.visit(url, "/ticks");
        await seen(page.getByRole("row", { name: /render-1 render, mail Working.*4,200/ }));
        await seen(page.getByRole("row", { name: /Did not start/ }));
        await seen(page.getByRole("row", { name: /Silent/ }));
        await seen(page.getByRole("row", { name: /tick \d+ Ended 2 2 0 0/ }));
        await operator.isAccessible("ticks");
      },
    );

    test("the action log says in words who changed what", async (operator, { stack, url }) => {
      await clearManaged(stack);
      await stack.sql`select
        public.messenger_act('ada', 'messenger_set_queue', '{"name":"default","settings":{"paused":true}}'),
        public.messenger_act('secret key default', 'messenger_save_schedules',
          '{"schedules":[{"message_type":"Note","schedule_type":"cron","cron":"@daily","name":"digest"}]}')`;
      await stack.sql`insert into public.messenger_actions (actor, action, target, affected)
        select 'ada', 'redrive', '{"type":"EmailMessage","error":"timeout"}', 5000`;
      const { page } = operator;
      await operator.visit(url, "/actions");
      await seen(
        page.getByRole("row", { name: /Redrive type EmailMessage, error timeout 5,000 ada/ }),
      );
      await seen(page.getByRole("row", { name: /Change queue name default, paused 1 ada/ }));
      await seen(
        page.getByRole("row", { name: /Save schedule created digest.*secret key default/ }),
      );
      await operator.isAccessible("action log");
    });
  });
} else {
  Deno.test({
    name: `records in the console: left out, for there is no ${CHROMIUM}`,
    ignore: true,
    fn: () => {},
  });
}
