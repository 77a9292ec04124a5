/** The operators' command with input of every kind, over the local stack. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { messenger, say } from "../support/cli.ts";
import { addFailed, clearManaged } from "../support/management.ts";
import { testsOnStack } from "../support/stack.ts";

testsOnStack({}, (test) => {
  test("a schedule's catch-up limit and what it does while its queue is paused are given and taken away", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const made = await said([
      ...["schedules", "create", "Note", '{"text":"x"}', "--cron", "@daily", "--name", "digest"],
      ...["--catch-up", "all", "--catch-up-limit", "7", "--while-paused", "skip"],
      ...["--max-runs", "none", "--end-at", "none", "--jitter", "90s", "--ttl", "1h"],
    ]);
    assertEquals(made.code, 0, made.err);
    assertMatch(made.out, /^catchUpLimit +7$/m);
    assertMatch(made.out, /^whilePaused +skip$/m);
    assertMatch(made.out, /^jitter +1 m 30 s$/m, "durations are no raw milliseconds");
    const changed = await said(
      "schedules update digest --catch-up-limit none --while-paused enqueue --ttl none --end-at none",
    );
    assertMatch(changed.out, /^catchUpLimit +-$/m);
    assertMatch(changed.out, /^whilePaused +enqueue$/m);
    assertMatch(changed.out, /^ttl +-$/m);
    assertEquals((await said("schedules update digest --catch-up-limit 0")).code, 2);
    assertEquals((await said("schedules update digest --while-paused wait")).code, 2);
  });

  test("a schedule whose name is a number is found by it", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await said(["schedules", "create", "Note", '{"text":"x"}', "--every", "1h", "--name", "2026"]);
    assertMatch((await said("schedules show 2026")).out, /^name +2026$/m);
    assertEquals((await said("schedules show 2027")).code, 1);
    assertEquals((await said("schedules show 99999999999999999999")).code, 1);
  });

  test("prune deletes what is older than the age that has to be given", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    await addFailed(stack, { failedAt: "2026-01-01T10:00:00Z" });
    await addFailed(stack);
    assertEquals((await said("prune")).code, 2);
    for (const age of ["", "0s", "-1s", "1.5h", "1e9d", "soon"]) {
      assertEquals((await said(["prune", `--failed-older-than=${age}`])).code, 2, age);
    }
    assertEquals((await said("prune --failed-older-than 1h --dry-run")).out, "1 would be deleted");
    const drawn = await said("prune --failed-older-than 1h", { showsProgress: true });
    assertEquals([drawn.code, drawn.out], [0, "1 deleted"]);
    assertStringIncludes(drawn.err, "1 deleted");
    assertEquals(await said("prune --failed-older-than 1h"), {
      code: 0,
      out: "0 deleted",
      err: "",
    });
    assertMatch((await said("failed list")).out, /^\d+ +Note/m, "the younger one stays");
    assertMatch((await said("actions")).out, /secret key default +prune +1/);
  });

  test("prune says that there may be more where its count stops", async (stack) => {
    await clearManaged(stack);
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
      select nextval('public.messenger_messages_id_seq'), 'Gone', '{}', 'later', 'exhausted', now(), '2026-01-01'
      from generate_series(1, 10500)`;
    const said = messenger(stack);
    const line = "prune --failed-older-than 1h";
    assertEquals((await said(`${line} --dry-run`)).out, "10,000 or more would be deleted");
    assertEquals(JSON.parse((await said(`${line} --dry-run --json`)).out).capped, true);
    assertEquals((await said(line)).out, "10,500 deleted");
  });

  test("Ctrl-C ends a change between two requests, and what was not asked for is not begun", async (stack) => {
    await clearManaged(stack);
    await addFailed(stack);
    const said = messenger(stack);
    const signal = AbortSignal.abort();
    for (const showsProgress of [true, false]) {
      const ended = await said("failed redrive --all", { signal, showsProgress });
      assertEquals([ended.code, ended.out], [130, "0 redriven"]);
      assertStringIncludes(ended.err, "interrupted before its end");
    }
    assertEquals((await said("failed redrive --all")).out, "1 redriven");
  });

  test("what the API refuses is told by the names of the command's options", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    for (
      const [line, error] of [
        ["failed redrive --all --max 0", "--max: has to be 1 or more"],
        ["failed remove --type Note --max 1.5", "--max: "],
        ["messages cancel --all --max -1", "--max: has to be 1 or more"],
        ["failed redrive --all --per-second 0", "--per-second: has to be 0.001 or more"],
        ["failed groups --limit 0", "--limit: has to be a whole number from 1 to "],
        ["failed list --from 1h --to 2h", "--to: has to come after --from"],
        [
          "messages list --created-from 1h --created-to 1h",
          "--created-to: has to come after --created-from",
        ],
        ["failed redrive --to yesterday --from now", "--to: has to come after --from"],
        ["queues set default --max-workers 0", "--max-workers: has to be 1 or more"],
        ['dispatch Note {"text":"x"} --priority 5000', "--priority: "],
        [
          'dispatch Note {"text":"x"} --delay 5',
          "--delay: has to be text with a unit like '250ms'",
        ],
        [
          'dispatch Note {"text":"x"} --delay 1h --at 2h',
          "--delay: give either delay or --at, not both",
        ],
        ['schedules create Note {"text":"x"} --cron @often', "--cron: must have five fields"],
        ['schedules create Note {"text":"x"} --every 5', "--every: has to be text with a unit"],
        [
          'schedules create Note {"text":"x"} --at 2020-01-01',
          "--at: 2020-01-01T00:00:00.000Z is in",
        ],
        ['schedules create Note {"text":"x"} --every 1h --max-runs 0', "--max-runs: has to be a"],
        [
          'schedules create Note {"text":"x"} --every 1h --catch-up-limit 2',
          "--catch-up-limit: has an effect with --catch-up all only",
        ],
        [
          'schedules create Note {"text":"x"} --every 1h --start-at 2030-01-02 --end-at 2030-01-01',
          "--end-at: has to come after --start-at",
        ],
        ["schedules preview --cron @often", "--cron: must have five fields"],
        ["schedules upcoming --from tomorrow --to yesterday", "--to: has to come after --from"],
        ["webhooks resend --from tomorrow --to yesterday", "--to: has to come after --from"],
        ['dispatch Note {"text":1}', "payload.text: "],
      ] as const
    ) {
      const { code, err } = await said(line);
      assertEquals([code, err.slice(0, `error: ${error}`.length)], [2, `error: ${error}`], line);
    }
    const { err } = await said("failed redrive --all --max 0 --json");
    assertEquals(JSON.parse(err).error.issues[0].path, ["maxMessages"], "programs get the API's");
  });

  test("no text of a message is obeyed by a terminal", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const evil = "\u001b]0;owned\u0007\u001b[31mred\u009b2J\u202ertl\rover";
    const id = await addFailed(stack, { error: evil });
    await stack.sql`update public.messenger_failed_messages set group_key = ${evil}, payload = ${
      stack.sql.json({ evil })
    }`;
    const lines = ["failed list", `failed show ${id}`, "failed groups", "failed list --wide"];
    const sayings = await Promise.all(lines.map((line) => said(line)));
    sayings.push(await said(["schedules", "show", evil]), await said([evil]));
    for (const [index, { out, err }] of sayings.entries()) {
      // deno-lint-ignore no-control-regex
      assertEquals(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(out + err), false);
      assertStringIncludes(out + err, "\\u001b[31mred\\u009b2J\\u202ertl", String(index));
    }
    const { out } = await said(`failed show ${id} --json`);
    assertEquals(JSON.parse(out).payload, { evil });
    assertEquals(JSON.parse(out).groupKey, evil);
  });

  test("an empty list says so beside its headings", async (stack) => {
    await clearManaged(stack);
    const said = messenger(stack);
    const none = await said("failed list --type Nothing");
    assertEquals([none.code, none.err], [0, "Nothing found.\n"]);
    const json = await said("failed list --type Nothing --json");
    assertEquals([json.out, json.err], ["[]", ""]);
  });
});

Deno.test("wrong input is refused before anything is sent", async () => {
  const env = { SUPABASE_URL: "http://127.0.0.1:1", SUPABASE_SECRET_KEY: "x" };
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["dispatch", "Note", '{"n":1970670598291982290}'], "payload.n: has to be a number"],
    [["dispatch", "Note", '{"list":[1e400]}'], "payload.list.0: has to be a number"],
    [["dispatch", "Note", '{"n":1.00000000000000000001}'], "payload.n: has to be a number"],
    [["dispatch", "Note", '{"n":1,"n":2}'], "payload.n: stands twice"],
    [["schedules", "create", "Note", '{"n":1e400}', "--every", "1h"], "payload.n"],
    [["failed", "edit", "1", '{"n":1e400}'], "payload.n"],
    [["failed", "edit", "1", "{"], "error: payload: is not JSON"],
    [["failed", "redrive", "1", "--payload", "{}", "--per-second", "5"], "--payload: goes with"],
    [["failed", "redrive", "1", "--payload", "{}", "--queue", "mail"], "--payload: goes with"],
    [["failed", "redrive", "1", "--payload", "{}", "--all"], "--payload: goes with one id"],
    [["schedules", "preview", "1", "--timezone", "Europe/Berlin"], "it has its own settings"],
    [["schedules", "preview", "1", "--queue", "mail"], "it has its own settings"],
    [["dispatch", "Note", "{}", "--at", "2026-02-30"], "--at: is no time"],
    [["failed", "remove", "--to", "3 months"], "--to: is no time"],
    [["failed", "show", ""], '"": is neither an id nor a name'],
    [["queues", "delete", ".."], '"..": is neither an id nor a name'],
    [["queues", "pause", "."], '".": is neither an id nor a name'],
    [["schedules", "delete", ""], '"": is neither an id nor a name'],
    [["messages", "show", ".."], '"..": is neither an id nor a name'],
    [["queues", "set", "mail", "--weight", "0x10"], "has to be a number"],
    [["queues", "set", "mail", "--weight", "1e3"], "has to be a number"],
    [["failed", "list", "--limit", "0x10"], "has to be 1 or more"],
    [["messages", "tail", "--interval", "3000000"], "--interval: has to be from 0.1 to 86400"],
    [["messages", "tail", "--interval", "-1"], "--interval: has to be from 0.1 to 86400"],
  ];
  for (const [line, named] of cases) {
    const { code, out, err } = await say(line, { env });
    assertEquals([code, out], [2, ""], line.join(" "));
    assertStringIncludes(err, named);
    assert(!err.includes("cannot be reached"), line.join(" "));
  }
});

Deno.test("a URL or key of the environment that can be none is refused by its name", async () => {
  const given = { SUPABASE_URL: "http://127.0.0.1:1", SUPABASE_SECRET_KEY: "x" };
  const cases = [
    { SUPABASE_URL: "example.supabase.co" },
    { SUPABASE_URL: "postgresql://postgres@127.0.0.1/postgres" },
    { SUPABASE_SECRET_KEY: "sb_secret\nx" },
    { SUPABASE_SECRET_KEY: "ключ" },
  ];
  for (const wrong of cases) {
    const { code, err } = await say("stats", { env: { ...given, ...wrong } });
    assertEquals([code, err.slice(0, err.indexOf(": has to be"))], [
      2,
      `error: ${Object.keys(wrong)[0]}`,
    ]);
  }
});

Deno.test("a refusal in the middle of a change is not asked again, and says how far it came", async () => {
  const bodies: { ids?: string[] }[] = [];
  await using server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    bodies.push(await request.json());
    if (bodies.length === 2) {
      return Response.json({ code: "database_error", message: "refused" }, { status: 500 });
    }
    const step = { matched: 3, done: 3, running: 0, missing: [], next: "x" };
    return Response.json(step, { headers: { "symphony-version": "0.2.0" } });
  });
  const env = { SUPABASE_URL: `http://127.0.0.1:${server.addr.port}`, SUPABASE_SECRET_KEY: "x" };
  const { code, err } = await say("failed redrive --all", { env });
  assertEquals([code, err], [3, "error: refused; 3 were redriven before\n"]);
  assertEquals(bodies.length, 2);
});

Deno.test("an id that is given twice is asked for once", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
    asked.push(...(await request.json()).ids);
    const step = { matched: 1, done: 1, running: 0, missing: [], next: null };
    return Response.json(step, { headers: { "symphony-version": "0.2.0" } });
  });
  const env = { SUPABASE_URL: `http://127.0.0.1:${server.addr.port}`, SUPABASE_SECRET_KEY: "x" };
  const ids = Array.from({ length: 1_000 }, (_, index) => String(index + 1));
  assertEquals((await say(["failed", "redrive", ...ids, "1"], { env })).code, 0);
  assertEquals(asked, ids);
});
