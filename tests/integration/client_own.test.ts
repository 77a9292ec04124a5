/** The client and the messages and schedules that its user owns. */

import { assertEquals, assertRejects } from "@std/assert";
import { type MessageId, MessengerError } from "../../client/mod.ts";
import { signedIn } from "../support/client.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const hourly = { type: "interval", config: { interval: "1h" } } as const;
const code = async (act: () => Promise<unknown>) => (await assertRejects(act, MessengerError)).code;

testsOnStack({}, (test) => {
  test("users list their own messages by type, status and page, and see no others", async (stack) => {
    const ann = await signedIn(stack);
    const bob = await signedIn(stack);
    const jobs = await ann.messenger.dispatchAll(
      [1, 2, 3].map(() => ({ type: "Choosy", payload: {} })),
    );
    const note = await ann.messenger.dispatch("Note", { text: "x" });
    await bob.messenger.dispatch("Note", { text: "y" });

    const all = await ann.messenger.list();
    assertEquals(
      all.messages.map(({ id }) => id).sort(),
      [...jobs, note].map(({ id }) => id).sort(),
    );
    const first = await ann.messenger.list({ type: "Choosy", status: "pending", limit: 2 });
    const cursor = first.next ?? "";
    const second = await ann.messenger.list({
      type: "Choosy",
      limit: 2,
      cursor,
      signal: undefined,
    });
    assertEquals([first.messages.length, second.messages.length, second.next], [2, 1, null]);
    assertEquals((await ann.messenger.list({ status: "failed" })).messages, []);
    assertEquals(await code(() => ann.messenger.list({ limit: 101 })), "invalid");

    const ids = [...jobs, note].map(({ id }) => id);
    const { messages, missing } = await bob.messenger.statuses([...ids, "999999"]);
    assertEquals([messages, missing.length], [[], 5]);
    assertEquals((await ann.messenger.statuses(jobs)).messages.length, 3);
  });

  test("users cancel their own waiting messages, and their observers see it at once", async (stack) => {
    const ann = await signedIn(stack);
    const bob = await signedIn(stack);
    const job = await ann.messenger.dispatch("Choosy", {}, { delay: "1h" });
    const end = job.finished();
    assertEquals(await code(() => bob.messenger.cancel(job.id)), "not_found");
    assertEquals((await job.cancel()).status, "cancelled");
    assertEquals((await end).status, "cancelled");
    assertEquals((await ann.messenger.cancel(job)).status, "cancelled");
    const note = await ann.messenger.dispatch("Note", { text: "x" });
    assertEquals(await code(() => note.cancel()), "forbidden");
  });

  test("a running message that is cancelled says so, and a finished one is a conflict", async (stack) => {
    const { messenger } = await signedIn(stack);
    const job = await messenger.dispatch("Kept", {});
    const ticked = stack.tick();
    await eventually(() => job.status(), ({ progress }) => progress !== null);
    const observer = messenger.observe(job);
    const stop = observer.subscribe(() => {});
    await eventually(() => Promise.resolve(observer.get()), ({ message }) => message !== undefined);
    assertEquals((await job.cancel()).cancelling, true);
    assertEquals(observer.get().message?.cancelling, true);
    stop();
    await stack.sql`
      insert into public.test_effects (message_id, type, attempt) values (0, 'release', 0)`;
    await ticked;
    const other = await messenger.dispatch("Kept", {});
    await stack.tick();
    assertEquals(await code(() => other.cancel()), "conflict");
  });

  test("users make, show, change, pause and delete their own schedules, and no others", async (stack) => {
    const { messenger } = await signedIn(stack);
    const bob = await signedIn(stack);
    const made = await messenger.schedules.create("Choosy", {}, hourly);
    assertEquals((await messenger.schedules.get(made)).config, { interval: 3_600_000 });
    const changed = await messenger.schedules.update(made, {
      schedule: { type: "cron", config: { cron: "0 9 * * *" }, timezone: "Europe/London" },
      enabled: false,
    });
    assertEquals([changed.kind, changed.type, changed.timezone, changed.enabled], [
      ...["schedule", "cron", "Europe/London", false],
    ]);
    assertEquals((await messenger.schedules.list({ limit: 1 })).schedules.length, 1);
    const { id } = made;
    for (
      const act of [
        () => bob.messenger.schedules.get(id),
        () => bob.messenger.schedules.update(id, { enabled: true }),
        () => bob.messenger.schedules.delete(id),
        // An id of a schedule is none of a message, though both are numbers.
        () => messenger.status(String(id) as MessageId),
      ]
    ) assertEquals(await code(act), "not_found");
    assertEquals(await code(() => messenger.schedules.update(id, { payload: 1 })), "invalid");
    await messenger.schedules.delete(made);
    assertEquals(await code(() => messenger.schedules.get(id)), "not_found");
  });
});
