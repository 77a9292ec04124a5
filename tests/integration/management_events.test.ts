/** Events, and the messages that wait for them, over the management API. */

import { assertEquals, assertMatch } from "@std/assert";
import { messenger } from "../support/cli.ts";
import { ask, refusal } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

async function fill({ sql }: TestStack): Promise<string[]> {
  await sql`truncate public.messenger_events restart identity`;
  const rows = await sql<{ id: string }[]>`
    select public.messenger_emit(key, '{"secret":"s3cret"}') as id
    from unnest(array['paid:1', 'paid:2', 'paid:1']) as key`;
  return rows.map(({ id }) => id);
}

testsOnStack({}, (test) => {
  test("events are listed without their values, the latest first, and shown with them", async (stack) => {
    const [a, b, c] = await fill(stack);
    const list = async (query: string) => (await ask(stack, "GET", `/events?${query}`)).body;
    const first = await list("limit=2");
    assertEquals(first.events.map(({ id }: { id: string }) => id), [c, b]);
    const second = await list(`limit=2&cursor=${first.next}`);
    assertEquals([second.events.map(({ id }: { id: string }) => id), second.next], [[a], null]);
    assertEquals((await list("event=paid:1")).events.length, 2);
    assertEquals((await list("event=paid")).events, []);
    assertEquals(JSON.stringify(await list("")).includes("s3cret"), false);
    const { body } = await ask(stack, "GET", `/events/${a}`);
    assertEquals([body.event, body.value], ["paid:1", { secret: "s3cret" }]);
    assertEquals((await ask(stack, "GET", "/events/999")).status, 404);
    assertEquals(refusal(await ask(stack, "GET", "/events/x")), [400, "invalid_request", ["id"]]);
  });

  test("the value of an event is shown with the names that it has", async (stack) => {
    const [event] = await stack.sql<{ id: string }[]>`
      select public.messenger_emit('paid:1', '{"order_id": 7, "rows": [{"sum_total": 1}]}') as id`;
    const { body } = await ask(stack, "GET", `/events/${event?.id}`);
    assertEquals(body.value, { order_id: 7, rows: [{ sum_total: 1 }] });
  });

  test("messages that wait for events are listed with their keys, and events with how many wait", async (stack) => {
    await fill(stack);
    const [id] = await stack.dispatch({ type: "Approval", payload: { order: "42" } });
    await stack.tick();
    const { body } = await ask(stack, "GET", "/events/waiting");
    const [waits, ...others] = body.messages;
    assertEquals([waits.id, waits.type, waits.events, others], [
      id,
      "Approval",
      ["approved:42"],
      [],
    ]);
    assertEquals(new Date(waits.until) > new Date(waits.createdAt), true);
    assertEquals((await ask(stack, "GET", "/events/waiting?event=paid:1")).body.messages, []);
    const { body: { events } } = await ask(stack, "GET", "/events?limit=1");
    assertEquals(events[0].waiting, { count: 0, capped: false });
  });

  test("the command lists and shows events and waiting messages", async (stack) => {
    const [a] = await fill(stack);
    await stack.dispatch({ type: "Approval", payload: { order: "42" } });
    await stack.tick();
    const said = messenger(stack);
    const [heading, ...rows] = (await said("events list --event paid:1")).out.split("\n");
    assertMatch(heading ?? "", /^ID +EVENT +CREATED +BYTES +WAITING$/);
    assertEquals(rows.length, 2);
    assertMatch((await said(`events show ${a}`)).out, /"secret": "s3cret"/);
    assertMatch((await said("events waiting")).out, /Approval +default .*approved:42/);
  });
});
