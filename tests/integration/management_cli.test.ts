/** The operators' command over the local stack. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { messenger, say } from "../support/cli.ts";
import { addFailed, clearManaged } from "../support/management.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

testsOnStack({}, (test) => {
  test("dead letters are listed, shown, redriven, edited and removed", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const a = await addFailed(stack, { failedAt: "2026-01-01T10:00:00Z" });
    const b = await addFailed(stack, { queue: "mail", failedAt: "2026-01-02T10:00:00Z" });
    const [heading, first, second] = (await said("failed list --type Note --wide")).out.split("\n");
    assertMatch(heading ?? "", /^ID +TYPE +QUEUE +REASON +ATTEMPTS +REDRIVEN +FAILED +ERROR$/);
    assertMatch(
      first ?? "",
      new RegExp(`^${b} +Note +mail +exhausted +0 +0 +2026-01-02 10:00:00Z`),
    );
    assertMatch(second ?? "", new RegExp(`^${a} `));
    assertMatch((await said(`failed show ${a}`)).out, /^payload +\{\n +"text": "x"\n +\}$/m);
    const times = await said(["failed", "list", "--from", "2026-01-02", "--to", "1h ago"]);
    assertEquals(times.out.split("\n").length, 2);
    assertEquals((await said("failed redrive --queue mail --dry-run")).out, "1 would be redriven");
    assertEquals((await said("failed redrive --queue mail --per-second 2")).out, "1 redriven");
    assertEquals((await said(["failed", "edit", a, '{"text":"new"}'])).out, "1 redriven");
    const d = await addFailed(stack);
    assertEquals((await said(`failed redrive ${d} --from-step start`)).out, "1 redriven");
    const c = await addFailed(stack);
    assertEquals((await said(`failed remove ${c} --dry-run`)).out, "1 would be removed");
    assertEquals(await said(`failed remove ${c}`), { code: 0, out: "1 removed", err: "" });
  });

  test("dead letters are grouped by their error, and found by group and user", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await addFailed(stack);
    await addFailed(stack);
    const c = await addFailed(stack, { error: "timed out" });
    await stack.sql`update public.messenger_failed_messages
      set group_key = 'g', stamps = '{"user":{"id":"ada"}}', created_at = now() - interval '3 days'
      where id = ${c}`;
    const [heading, first, second] = (await said("failed groups")).out.split("\n");
    assertMatch(heading ?? "", /^COUNT +TYPE +REASON +ERROR +FIRST-FAILED +LAST-FAILED +LAST-ID$/);
    assertMatch(first ?? "", /^2 +Note +exhausted +no route/);
    assertMatch(second ?? "", /^1 +Note +exhausted +timed out/);
    for (const filter of ["--group g", "--user ada", "--created-to yesterday"]) {
      assertEquals(
        (await said(`failed list ${filter} --json`)).out.includes(`"${c}"`),
        true,
        filter,
      );
      assertEquals((await said(`failed remove ${filter} --dry-run`)).out, "1 would be removed");
      assertEquals((await said(`messages list ${filter} --json`)).out, "[]");
    }
  });

  test("planned times are shown of all schedules, and of one that is not made", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await said(["schedules", "create", "Note", '{"text":"x"}', "--every", "1h", "--name", "often"]);
    const upcoming = await said("schedules upcoming --n 2");
    assertEquals(upcoming.out.split("\n").length, 3);
    assertStringIncludes(upcoming.err, "There are more.");
    const preview = await said(["schedules", "preview", "--cron", "0 9 * * *", "--n", "3"]);
    assertEquals(
      preview.out.split("\n").map((line) => line.slice(10)),
      Array(3).fill("T09:00:00.000Z"),
    );
    assertEquals((await said("schedules preview often")).out.split("\n").length, 5);
    assertEquals((await said("schedules preview")).code, 2);
    assertEquals((await said("schedules preview often --every 1h")).code, 2);
    assertEquals((await said(["schedules", "preview", "--cron", "61 * * * *"])).code, 2);
  });

  test("ids that are not there are named, and the command fails", async (stack) => {
    const said = messenger(stack);
    const id = await addFailed(stack);
    const some = await said(`failed redrive ${id} 987654321`);
    assertEquals([some.code, some.out], [1, "1 redriven"]);
    assertStringIncludes(some.err, "no such dead letter: 987654321");
    for (const line of ["failed redrive", "failed remove", "messages cancel", "messages run"]) {
      const none = await said(`${line} 987654321`);
      assertEquals([none.code, none.out.startsWith("0 ")], [1, true], line);
      assertStringIncludes(none.err, "987654321");
      const json = await said(`${line} 987654321 --json`);
      assertEquals([json.code, JSON.parse(json.out).missing], [1, ["987654321"]]);
    }
    assertEquals((await said("failed redrive --type Nothing")).code, 1, "nothing was done");
  });

  test("a command that changes all messages has to ask for all", async (stack) => {
    const said = messenger(stack);
    await addFailed(stack);
    for (const line of ["failed redrive", "failed remove", "messages cancel", "messages run"]) {
      assertEquals((await said(line)).code, 2, line);
      assertEquals((await said(`${line} --max 5`)).code, 2, line);
      assertEquals((await said([...line.split(" "), ""])).code, 2, line);
      assertEquals((await said([...line.split(" "), "--type", ""])).code, 2, line);
      assertEquals((await said(`${line} --all --type Note`)).code, 2, line);
      assertEquals((await said(`${line} 5 --all`)).code, 2, line);
    }
    assertEquals((await said("failed redrive --all")).out, "1 redriven");
    assertEquals((await said("messages cancel --all")).out, "1 cancelled");
  });

  test("a change of many messages continues to the end, with a progress bar on a terminal only", async (stack) => {
    await clearManaged(stack);
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at)
      select nextval('public.messenger_messages_id_seq'), 'Gone', '{}', 'later', 'exhausted', now()
      from generate_series(1, 10500)`;
    const said = messenger(stack);
    const drawn = await said("failed remove --type Gone --max 10100", { showsProgress: true });
    assertEquals([drawn.code, drawn.out], [0, "10,100 removed"]);
    assertMatch(drawn.err, /\[#{30}\] 100 % {2}10,100 of 10,100 removed/);
    assert(drawn.err.endsWith("\r\u001b[K"), "and is wiped");
    assertEquals(await said("failed remove --type Gone"), { code: 0, out: "400 removed", err: "" });
  });

  test("a list continues over pages, up to its limit, and says that there are more", async (stack) => {
    const said = messenger(stack);
    await stack.sql`insert into public.messenger_messages (type)
      select 'Bulk' from generate_series(1, 450)`;
    assertEquals((await said("messages list --limit none")).out.split("\n").length, 451);
    assertEquals(JSON.parse((await said("messages list --limit 230 --json")).out).length, 230);
    const some = await said("messages list");
    assertEquals(some.out.split("\n").length, 51);
    assertStringIncludes(some.err, "--limit none");
  });

  test("queues are created, paused, resumed, set and deleted, and the log says who did it", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    assertMatch((await said("queues create mail --concurrency 3")).out, /^concurrency +3$/m);
    assertEquals((await said("queues create mail")).code, 5);
    await said("queues pause mail");
    assertMatch((await said("queues list")).out, /^mail +yes/m);
    assertMatch((await said("queues list")).out, /^default +no/m);
    await said("queues resume mail");
    assertMatch((await said("queues set mail --concurrency none")).out, /^concurrency +-$/m);
    assertMatch((await said("queues show mail")).out, /^paused +no$/m);
    await stack.dispatch({ ...note, queue: "mail", delay: "1h" });
    assertEquals((await said("queues delete mail")).code, 5, "it holds a message");
    await said("messages cancel --queue mail");
    assertEquals((await said("queues delete mail")).out, "mail deleted");
    assertEquals((await said("queues delete mail")).code, 1);
    assertMatch(
      (await said("actions")).out.split("\n")[1] ?? "",
      /secret key default +delete_queue +1/,
    );
  });

  test("messages are dispatched, run now, cancelled and followed", async (stack) => {
    const said = messenger(stack);
    const { out: id } = await said(["dispatch", "Note", '{"text":"a"}', "--delay", "1h"]);
    assertMatch((await said(`messages show ${id}`)).out, /^status +pending$/m);
    assertEquals((await said(`messages run ${id}`)).out, "1 made due");
    assertEquals((await stack.tick()).messages.handled, 1);
    const { out: later } = await said(["dispatch", "Note", "-", "--at", "tomorrow"], {
      input: '{"text":"b"}',
    });
    assertEquals((await said(`messages cancel ${later} --dry-run`)).out, "1 would be cancelled");
    assertEquals((await said(`messages cancel ${later}`)).out, "1 cancelled");
    assertEquals((await said(["dispatch", "Note", "{"])).code, 2);
    assertEquals((await said(["dispatch", "Note", '{"text":5}'])).code, 2, "the API refuses it");

    const end = new AbortController();
    const lines: string[] = [];
    const heard = (text: string) => void lines.push(text);
    const tail = said("messages tail --interval 0.1", { signal: end.signal, heard });
    const [followed] = await stack.dispatch({ ...note, delay: "1h" });
    await eventually(
      () => Promise.resolve(lines),
      (seen) => seen.some((line) => line.startsWith(`${followed} `)),
    );
    end.abort();
    assertEquals((await tail).code, 0);
  });

  test("schedules are made, changed and told of, by id or by name", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const made = await said([
      "schedules",
      "create",
      "Note",
      '{"text":"x"}',
      "--cron",
      "@daily",
      "--name",
      "digest",
    ]);
    assertEquals(made.code, 0, made.err);
    const [, id = ""] = /^id +(\d+)$/m.exec(made.out) ?? [];
    assertMatch((await said("schedules list")).out, /digest +cron +yes/);
    assertMatch((await said("schedules show digest")).out, new RegExp(`^id +${id}$`, "m"));
    assertEquals((await said(`schedules preview ${id} --n 2`)).out.split("\n").length, 2);
    assertMatch(
      (await said("schedules update digest --every 5m --max-runs 3")).out,
      /^maxRuns +3$/m,
    );
    assertMatch(
      (await said("schedules pause digest --reason holidays")).out,
      /^disabledReason +holidays$/m,
    );
    assertMatch((await said("schedules trigger digest")).out, /^messageId +\d+$/m);
    assertMatch((await said("schedules runs digest")).out, /enqueued/);
    assertMatch((await said("schedules resume digest")).out, /^enabled +yes$/m);
    assertEquals((await said("schedules delete digest")).out, "removed");
    assertEquals((await said("schedules show digest")).code, 1);
    for (
      const wrong of [
        "schedules create Note {}",
        "schedules create Note {} --cron @daily --every 5m",
      ]
    ) {
      assertEquals((await said(wrong)).code, 2, wrong);
    }
  });

  test("health ends with an exit code and says what to do", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const ill = await said("health");
    assertEquals(ill.code, 1);
    assertMatch(ill.out, /^FAILING +last tick +- +3 m +No tick has begun/m);
    await stack.tick();
    assertEquals((await said("health")).code, 0);
    assertMatch((await said("stats")).out, /^deadLetters/m);
    assertMatch((await said("ticks")).out, /^ID +ASKED +STARTED/);
    assertMatch((await said("types list")).out, /^Note +default/m);
    assertEquals(JSON.parse((await said("types list --json")).out)[0].schema.type, "object");
  });

  test("each kind of failure has its exit code, and JSON where it is asked for", async (stack) => {
    const said = messenger(stack);
    const wrongKey = { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: "sb_secret_wrong" };
    const nowhere = { SUPABASE_URL: "http://127.0.0.1:1", SUPABASE_SECRET_KEY: stack.secretKey };
    assertEquals((await said("failed show 999")).code, 1);
    assertEquals((await said("failed list --limit many")).code, 2);
    assertEquals((await say("stats")).code, 2, "no project");
    assertEquals((await say("stats", { env: nowhere })).code, 3);
    assertEquals((await say("stats", { env: wrongKey })).code, 4);
    for (const body of ['{"code":"NOT_FOUND","message":"no function"}', "<html>"]) {
      await using server = Deno.serve(
        { port: 0, onListen: () => {} },
        () => new Response(body, { status: 404 }),
      );
      const env = { ...wrongKey, SUPABASE_URL: `http://127.0.0.1:${server.addr.port}` };
      assertEquals((await say("stats", { env })).code, 3, "the function is not there");
    }
    const ofGateways = [
      () => Response.json({ status: "maintenance" }),
      () => Response.json([]),
      () => new Response(null, { status: 204 }),
    ];
    for (const respond of ofGateways) {
      await using server = Deno.serve({ port: 0, onListen: () => {} }, respond);
      const env = { ...wrongKey, SUPABASE_URL: `http://127.0.0.1:${server.addr.port}` };
      for (const line of ["stats", "messages list", "messages cancel --all", "health"]) {
        const { code, err } = await say(line, { env });
        assertEquals([code, err.includes("is the function messenger deployed?")], [3, true], line);
      }
    }
    for (
      const [line, env, code] of [
        ["failed show 999 --json", undefined, "not_found"],
        ["queues set default --weight 0 --json", undefined, "invalid_request"],
        ["failed lst --json", undefined, "usage"],
        ["stats --json", nowhere, "unreachable"],
        ["stats --json", wrongKey, "unauthorized"],
      ] as const
    ) {
      const { out, err } = await (env ? say(line, { env }) : said(line));
      assertEquals([out, JSON.parse(err).error.code], ["", code], line);
    }
  });
});

Deno.test("the command explains itself, and guesses what was meant", async () => {
  for (
    const line of ["-h", "--help", "help", "failed --help", "help failed", "failed redrive -h"]
  ) {
    const { code, out } = await say(line);
    assertEquals([code, out.startsWith("Usage: symphony-messenger")], [0, true], line);
  }
  assertMatch((await say("--version")).out, /^\d+\.\d+\.\d+$/);
  assertEquals((await say("")).code, 2);
  for (
    const [line, named] of [
      ["faild list", "Did you mean failed?"],
      ["failed lst", "Did you mean list?"],
      ["redrive 5", "Did you mean failed redrive?"],
      ["cancel", "Did you mean one of messages cancel, batches cancel, outbox cancel?"],
      ["failed cancel", "unknown command"],
      ["failed redrive 5 1234567890123456789", '"1234567890123456789": is no id'],
      ["failed list --tpye A", "Did you mean --type?"],
      ["failed", "give a command"],
      ["failed show", "missing required argument"],
      ["failed show 1 2", "too many arguments"],
      ["failed list --weight 5", "unknown option"],
      ["failed list --type", "argument missing"],
      ["failed list --from soon", "--from: is no time"],
      ["failed redrive 5 --payload {", "--payload: is not JSON"],
      ["queues set default", "give at least one of --max-workers"],
      ["queues set default --rate-limit many", "has to be a number or none"],
      ["messages list --status x", "Allowed choices are pending, processing"],
    ] as const
  ) {
    const { code, out, err } = await say(line, {
      env: { SUPABASE_URL: "http://127.0.0.1:1", SUPABASE_SECRET_KEY: "x" },
    });
    assertEquals([code, out], [2, ""], line);
    assertStringIncludes(err, named, line);
  }
});
