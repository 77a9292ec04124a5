/** Operators see what waits for other transports, and cancel it, publish it now or again: in the API and the command. */

import { assertEquals, assertMatch } from "@std/assert";
import { messenger } from "../support/cli.ts";
import { ask, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

/** Declares a transport and dispatches a due and a delayed message. */
async function waiting({ sql }: TestStack) {
  await sql`select public.messenger_declare_routing('{"events": true}', '{"Audit": "events"}')`;
  const [due] = await sql<[{ id: string }]>`
    select public.messenger_dispatch('Audit', '1')::text as id`;
  const [later] = await sql<[{ id: string }]>`
    select public.messenger_dispatch('Audit', '2', delay => '1 hour')::text as id`;
  return { due: due.id, later: later.id };
}

testsOnStack({}, (test) => {
  test("the API lists what waits, page by page, and how its transport stands", async (stack) => {
    const { due, later } = await waiting(stack);
    const { body } = await ask(stack, "GET", "/transports");
    const [{ name, waiting: { count }, due: { count: dueNow }, failures }] = body.transports;
    assertEquals([name, count, dueNow, failures], ["events", 2, 1, 0]);
    const first = (await ask(stack, "GET", "/outbox?limit=1&transport=events")).body;
    assertEquals([first.messages[0].id, first.messages[0].due], [due, true]);
    const second = (await ask(stack, "GET", `/outbox?limit=1&cursor=${first.next}`)).body;
    assertEquals([second.messages[0].id, second.messages[0].due], [later, false]);
    assertEquals((await ask(stack, "GET", "/outbox?state=sent")).body.messages, []);
    assertEquals((await ask(stack, "GET", "/outbox?type=Other")).body.messages, []);
  });

  test("a change of the outbox takes one step with a budget of 0, as other changes of many do", async (stack) => {
    await waiting(stack);
    const dry = { dryRun: true, budgetMs: 0 };
    assertEquals(
      (await ask(stack, "POST", "/outbox/cancel", { all: true, ...dry })).body.matched,
      2,
    );
    const now = await ask(stack, "POST", "/outbox/run", { transport: "events", ...dry });
    assertEquals([now.body.matched, now.body.done], [1, 0]);
    const again = { transport: "events", since: "2026-01-01T00:00:00Z", ...dry };
    assertEquals((await ask(stack, "POST", "/outbox/resend", again)).body.matched, 0);
  });

  test("the API cancels, publishes now and publishes again, each in the operator's name", async (stack) => {
    const { due, later } = await waiting(stack);
    const dry = await ask(stack, "POST", "/outbox/cancel", { all: true, dryRun: true });
    assertEquals([dry.body.matched, dry.body.done, dry.body.next], [2, 0, null]);
    assertEquals((await ask(stack, "POST", "/outbox/cancel", { ids: [due] })).body.done, 1);
    assertEquals((await ask(stack, "POST", "/outbox/run", { transport: "events" })).body.done, 1);
    await stack.sql`update messenger.outbox set sent_at = now() where true`;
    const resend = { transport: "events", since: "2026-01-01T00:00:00Z" };
    assertEquals((await ask(stack, "POST", "/outbox/resend", resend)).body.done, 1);
    assertEquals((await ask(stack, "GET", "/outbox")).body.messages[0].id, later);
    const actions = await stack.sql<{ action: string }[]>`
      select action from public.messenger_actions where action like '%outbox' order by id desc limit 3`;
    assertEquals(actions.map(({ action }) => action).toReversed(), [
      ...["cancel_outbox", "run_outbox", "resend_outbox"],
    ]);
  });

  test("the API refuses a cancel without a filter, and values that are wrong", async (stack) => {
    const cancel = (body: object) => ask(stack, "POST", "/outbox/cancel", body);
    assertEquals((await cancel({})).status, 400);
    assertEquals(
      (await cancel({})).body.message,
      "give at least one of ids, transport, type, queue, groupKey, or all",
    );
    assertEquals(refusal(await cancel({ all: true, groupKey: "g" })), [
      ...[400, "invalid_request", ["all"]],
    ]);
    assertEquals(refusal(await cancel({ all: false })), [400, "invalid_request", []]);
    assertEquals(refusal(await cancel({ ids: ["x"] })), [400, "invalid_request", ["ids", 0]]);
    assertEquals(refusal(await ask(stack, "POST", "/outbox/run", {})), [
      ...[400, "invalid_request", ["transport"]],
    ]);
    assertEquals(
      refusal(await ask(stack, "POST", "/outbox/resend", { transport: "a", since: "soon" })),
      [400, "invalid_request", ["since"]],
    );
    assertEquals(refusal(await ask(stack, "GET", "/outbox?state=lost")), [
      ...[400, "invalid_request", ["state"]],
    ]);
  });

  test("the command shows and changes the outbox", async (stack) => {
    const { due, later } = await waiting(stack);
    const said = messenger(stack);
    assertMatch((await said("outbox transports")).out, /^events +2 +1 +0 +0/m);
    assertMatch((await said("outbox list --transport events")).out, new RegExp(`^${due} `, "m"));
    assertEquals((await said("outbox cancel")).code, 2);
    assertEquals((await said("outbox cancel --all --dry-run")).out, "2 would be cancelled");
    assertEquals((await said(`outbox cancel ${due}`)).out, "1 cancelled");
    assertEquals((await said("outbox run events")).out, "1 made due");
    await stack.sql`update messenger.outbox set sent_at = now() where true`;
    assertMatch((await said("outbox list --sent")).out, new RegExp(`^${later} `, "m"));
    assertEquals((await said("outbox resend events --since 10m")).out, "1 sent again");
    for (const line of ["outbox run evnts", "outbox resend evnts --since 10m"]) {
      const { code, err } = await said(line);
      assertEquals([code, err], [1, "error: transport: there is no transport evnts\n"], line);
    }
    const document = JSON.parse(
      await Deno.readTextFile(new URL("../../docs/openapi.json", import.meta.url)),
    );
    for (const path of ["/outbox/run", "/outbox/resend"]) {
      assertEquals("404" in document.paths[path].post.responses, true, path);
    }
    // PostgREST makes the message a part of the response's first line.
    const answer = await ask(stack, "POST", "/outbox/run", { transport: "a\u0005" });
    assertEquals([answer.status, answer.body.issues[0].path], [400, ["transport"]]);
  });

  test("a cancel of what a broker has says so, in the API and the command", async (stack) => {
    const { due } = await waiting(stack);
    await stack.sql`update messenger.outbox set sent_at = now() where true`;
    const { body } = await ask(stack, "POST", "/outbox/cancel", { ids: [due] });
    assertEquals([body.matched, body.done, body.running, body.next], [1, 0, 1, null]);
    const { out } = await messenger(stack)("outbox cancel --type Audit");
    assertEquals(out, "1 cancelled, 1 of them told to stop");
    const place = {
      all: true,
      dryRun: true,
      cursor: btoa(JSON.stringify({ id: "0", held: true })),
    };
    assertEquals((await ask(stack, "POST", "/outbox/cancel", place)).body.matched, 0);
  });

  test("a cancel names the ids that the outbox does not have, and the command fails", async (stack) => {
    const { due, later } = await waiting(stack);
    await stack.sql`update messenger.outbox set sent_at = now() where id = ${due}`;
    const said = messenger(stack);
    const dry = await said(`outbox cancel ${due} ${later} 987654321 --dry-run`);
    assertEquals([dry.code, dry.out], [1, "2 would be cancelled"]);
    const some = await said(`outbox cancel ${due} ${later} 987654321`);
    assertEquals([some.code, some.out], [1, "2 cancelled, 1 of them told to stop"]);
    assertEquals(some.err, "no such message: 987654321\n");
    const { body } = await ask(stack, "POST", "/outbox/cancel", { ids: [later, "987654321"] });
    assertEquals([body.done, body.missing], [0, [later, "987654321"]]);
    assertEquals((await ask(stack, "POST", "/outbox/cancel", { all: true })).body.missing, []);
  });

  test("a cancel or run of messages that wait in the outbox names the command that does it there", async (stack) => {
    const { due, later } = await waiting(stack);
    const said = messenger(stack);
    const [home] = await stack.dispatch({ type: "Note", payload: { text: "x" }, delay: "1h" });
    const cancel = await said(`messages cancel ${home} ${due} ${later} 987654321`);
    assertEquals([cancel.code, cancel.out], [1, "1 cancelled"]);
    assertEquals(
      cancel.err,
      "no such message waits or runs: 987654321\n" +
        `in the outbox of another transport: ${due}, ${later}; see "outbox cancel ${due} ${later}"\n`,
    );
    const run = await said(`messages run ${due}`);
    assertEquals([run.code, run.out], [1, "0 made due"]);
    assertEquals(
      run.err,
      `in the outbox of another transport: ${due}; see "outbox run <transport>"\n`,
    );
    const show = await said(`messages show ${due}`);
    assertEquals(show.code, 1);
    assertMatch(show.err, /; it is in the outbox of another transport, see "outbox list"\n$/);
    assertEquals((await said("messages show 987654321")).err.includes("outbox"), false);
    const json = JSON.parse((await said(`messages cancel ${due} --json`)).out);
    assertEquals([json.missing, json.inOutbox], [[due], [due]]);
    assertEquals((await said(`outbox cancel ${due} ${later}`)).out, "2 cancelled");
  });

  test("a cancel of what another project has says where it is, and the command fails", async (stack) => {
    await stack
      .sql`select public.messenger_declare_routing('{"eu": false}', '{"Audit": "eu"}')`;
    const [{ id }] = await stack.sql<[{ id: string }]>`
      select public.messenger_dispatch('Audit')::text as id`;
    await stack.sql`update messenger.outbox set sent_at = now() where true`;
    const { code, out, err } = await messenger(stack)(`outbox cancel ${id}`);
    assertEquals([code, out], [1, "0 cancelled"]);
    assertEquals(err, `${id}: is in the project behind eu; cancel it there, by its id there\n`);
    const { body } = await ask(stack, "POST", "/outbox/cancel", { ids: [id] });
    assertEquals([body.missing, body.elsewhere], [[], [{ id, transport: "eu" }]]);
    await stack.sql`update messenger.outbox set sent_at = null where true`;
    const waits = await ask(stack, "POST", "/outbox/cancel", { ids: [id] });
    assertEquals([waits.body.done, waits.body.elsewhere], [1, []]);
  });

  test("health tells of a transport that is away, and of messages that no transport takes", async (stack) => {
    await waiting(stack);
    const outbox = async () => {
      const { body } = await ask(stack, "GET", "/health");
      return body.checks.find(({ name }: { name: string }) => name === "outbox events");
    };
    assertEquals((await outbox()).ok, true);
    await stack.sql`update messenger.relays set failures = 3, failure = 'connection refused',
      retry_at = now() where shard = 0`;
    assertMatch((await outbox()).found, /3 failures in a row: connection refused$/);
    await stack.sql`select public.messenger_declare_routing('{}', '{}')`;
    assertMatch((await outbox()).advice, /^The code declares no transport events/);
  });
});

const ROUTED = new URL("../support/routed_messages", import.meta.url).pathname;

testsOnStack({ messages: ROUTED }, (test) => {
  test("the API tells which types and patterns the code sends through each transport", async (stack) => {
    await stack.tick();
    const { body } = await ask(stack, "GET", "/transports");
    const routes = body.transports.map((one: { name: string; routes: string[] }) => [
      ...[one.name, one.routes],
    ]);
    assertEquals(routes, [["eu", ["ImportRow"]], ["events", ["Audit*"]]]);
  });
});
