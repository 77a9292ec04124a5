/** The operators' command over the local stack. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { run } from "../../cli/messenger.ts";
import { ApiError } from "../../cli/messenger/client.ts";
import { UsageError } from "../../cli/messenger/options.ts";
import { table } from "../../cli/messenger/table.ts";
import { addFailed, ask, clearManaged } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

function messenger(stack: TestStack) {
  const env: Record<string, string> = {
    SUPABASE_URL: stack.url,
    SUPABASE_SECRET_KEY: stack.secretKey,
  };
  return async (command: string) => (await run(command.split(" "), (name) => env[name])).out;
}

testsOnStack({}, (test) => {
  test("dead letters are listed, shown, redriven and removed", async (stack) => {
    await clearManaged(stack);
    const say = messenger(stack);
    const a = await addFailed(stack, { failedAt: "2026-01-01T10:00:00Z" });
    const b = await addFailed(stack, { queue: "mail", failedAt: "2026-01-02T10:00:00Z" });
    const [heading, first, second] = (await say("failed list --type Note")).split("\n");
    assertMatch(heading ?? "", /^id +type +queue +reason +attempts +redriven +failedAt +error$/);
    assertMatch(first ?? "", new RegExp(`^${b} +Note +mail +exhausted +0 +0 +2026-01-02 10:00:00`));
    assertMatch(second ?? "", new RegExp(`^${a} `));
    assertMatch(await say(`failed show ${a}`), /^payload +\{\n +"text": "x"\n +\}$/m);
    assertEquals(await say("failed redrive --queue mail --dry-run"), "1 would be redriven");
    assertEquals(await say("failed redrive --queue mail --per-second 2"), "1 redriven");
    assertEquals(await say(`failed redrive ${a} --payload {"text":"new"}`), "1 redriven");
    assertEquals(await say("failed list"), "nothing");
    const c = await addFailed(stack);
    assertEquals(await say(`failed remove ${c} --dry-run`), "1 would be removed");
    assertEquals(await say(`failed remove ${c}`), "1 removed");
  });

  test("a list goes on over pages, up to its limit", async (stack) => {
    const say = messenger(stack);
    await stack.sql`insert into public.messenger_messages (type)
      select 'Bulk' from generate_series(1, 450)`;
    assertEquals((await say("messages list --limit none")).split("\n").length, 451);
    assertEquals(JSON.parse(await say("messages list --limit 230 --json")).length, 230);
    assertEquals((await say("messages list")).split("\n").length, 51);
  });

  test("queues are paused, resumed and set, and the log says who did it", async (stack) => {
    await clearManaged(stack);
    const say = messenger(stack);
    await say("queues pause default");
    assertMatch(await say("queues list"), /^default +yes/m);
    await say("queues resume default");
    assertMatch(await say("queues set default --concurrency 7"), /^concurrency +7$/m);
    await say("queues set default --concurrency none");
    assertMatch((await say("actions")).split("\n")[1] ?? "", /secret key default +set_queue +1/);
  });

  test("messages are cancelled, by id and by filter", async (stack) => {
    const say = messenger(stack);
    const [id] = await stack.dispatch([note, note]);
    assertMatch(await say(`messages show ${id}`), /^status +pending$/m);
    assertEquals(
      await say(`messages cancel ${id}`),
      "1 were cancelled, 0 were told to stop",
    );
    assertEquals(
      await say("messages cancel --type Note --dry-run"),
      "1 would be cancelled",
    );
  });

  test("schedules are listed, previewed, paused, triggered and deleted", async (stack) => {
    await clearManaged(stack);
    const say = messenger(stack);
    const { body: { id } } = await ask(stack, "POST", "/schedules", {
      ...note,
      schedule: { type: "cron", config: { cron: "@daily" }, name: "digest" },
    });
    assertMatch(await say("schedules list --name digest"), /digest +cron +\{"cron":"@daily"\}/);
    assertEquals((await say(`schedules preview ${id} --n 2`)).split("\n").length, 2);
    assertMatch(
      await say(`schedules pause ${id} --reason holidays`),
      /^disabledReason +holidays$/m,
    );
    assertMatch(await say(`schedules trigger ${id}`), /^messageId +\d+$/);
    assertMatch(await say(`schedules resume ${id}`), /^enabled +yes$/m);
    assertEquals(await say(`schedules delete ${id}`), "removed");
  });

  test("health ends with an exit code, and stats tell of everything", async (stack) => {
    await clearManaged(stack);
    const env = (name: string) => name.endsWith("URL") ? stack.url : stack.secretKey;
    const ill = await run(["health"], env);
    assertEquals(ill.code, 1);
    assertMatch(ill.out, /^FAILING +last tick/m);
    await stack.tick();
    assertEquals((await run(["health"], env)).code, 0);
    assertMatch((await run(["stats"], env)).out, /^deadLetters/m);
  });

  test("what is wrong on the command line is named, and nothing is asked", async (stack) => {
    const say = messenger(stack);
    for (
      const [command, named] of [
        ["failed lst", "failed lst: there is no such command"],
        ["failed list --evil 1", "--evil"],
        ["failed list --weight 5", "--weight: does not go"],
        ["failed list 5", "5: is one word too many"],
        ["failed list --limit many", "--limit"],
        ["failed show", "give one id"],
        ["failed redrive 5 --payload {", "--payload"],
        ["queues set default", "give at least one of --max-workers"],
        ["queues set default --rate-limit many", "--rate-limit"],
        ["failed list --type A --type B", "--type: is given more than once"],
      ] as const
    ) {
      await assertRejects(() => say(command), UsageError, named);
    }
    await assertRejects(() => run(["stats"], () => undefined), UsageError, "SUPABASE_URL");
    assertEquals((await run([], () => undefined)).code, 1);
  });

  test("what the API refuses is said in its own words", async (stack) => {
    const say = messenger(stack);
    await assertRejects(() => say("failed show 999"), ApiError, "there is no dead letter 999");
    await assertRejects(() => say("failed remove"), ApiError, "give at least one of ids");
    await assertRejects(() => say("queues set default --weight 0"), ApiError, "weight");
    await assertRejects(
      () => run(["stats"], (name) => name.endsWith("URL") ? stack.url : "sb_secret_wrong"),
      ApiError,
    );
  });
});

Deno.test("a table leaves out empty columns, and shortens what is long", () => {
  const text = table([{ a: 1, b: null, c: "x".repeat(100) }, { a: 22, b: false, c: "y\nz" }], [
    "a",
    "b",
    "c",
  ]);
  const [heading, first, second] = text.split("\n");
  assertEquals([heading, second], ["a   c", "22  y z"]);
  assert(first?.endsWith("…"));
});
