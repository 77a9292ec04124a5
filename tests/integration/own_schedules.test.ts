/** Users manage their own schedules over HTTPS. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { createMessengerClient, message, MessengerError } from "../../client/mod.ts";
import { asStranger, asUser, refusal } from "../support/frontend.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const hourly = { type: "interval", config: { interval: "1h" } } as const;
const choosy = { type: "Choosy", payload: {}, schedule: hourly };

async function make(stack: TestStack, headers: Record<string, string>): Promise<string> {
  const response = await stack.post("dispatch", choosy, headers);
  assertEquals(response.status, 201);
  return (await response.json()).scheduleId;
}

const send = (stack: TestStack, method: string, path: string, headers: Record<string, string>) =>
  fetch(`${stack.url}/functions/v1/dispatch/schedules${path}`, { method, headers });

testsOnStack({ env: { SYMPHONY_MAX_USER_SCHEDULES: "3" } }, (test) => {
  test("users see and delete their own schedules, and no others", async (stack) => {
    const ada = await asUser(stack);
    const bob = await asUser(stack);
    const [first, second] = [await make(stack, ada), await make(stack, ada)];
    const bobs = await make(stack, bob);

    const page = await (await send(stack, "GET", "?limit=1", ada)).json();
    assertEquals([page.schedules.length, page.next], [1, first]);
    const { id, message, type, config, enabled, queue, stamps } = page.schedules[0];
    assertEquals([id, message, type, config], [
      first,
      { type: "Choosy", payload: {} },
      "interval",
      { interval: 3_600_000 },
    ]);
    assertEquals([enabled, queue, stamps], [true, undefined, undefined]);
    const rest = await (await send(stack, "GET", `?cursor=${page.next}`, ada)).json();
    assertEquals([rest.schedules.map((one: { id: string }) => one.id), rest.next], [
      [second],
      null,
    ]);

    for (const id of [bobs, "999999", "x"]) {
      assertEquals((await refusal(await send(stack, "DELETE", `/${id}`, ada))).slice(0, 2), [
        404,
        "not_found",
      ]);
    }
    const removed = await send(stack, "DELETE", `/${first}`, ada);
    assertEquals([removed.status, await removed.json()], [200, { removed: true }]);
    const left = await stack.sql`select id::text from public.messenger_schedules order by id`;
    assertEquals(left.map(({ id }) => id), [second, bobs]);
  });

  test("a user may have no more missed runs made up than a schedule has by default", async (stack) => {
    const ada = await asUser(stack);
    const made = (catchUpLimit: number, headers: Record<string, string>) =>
      stack.post(
        "dispatch",
        { ...choosy, schedule: { ...hourly, catchUp: "all", catchUpLimit } },
        headers,
      );
    const refused = await made(1_001, ada);
    assertEquals(refused.status, 400);
    assertEquals((await refused.json()).issues[0].path, ["schedule", "catchUpLimit"]);
    assertEquals((await made(1_000, ada)).status, 201);
    assertEquals((await made(100_000, { apikey: stack.secretKey })).status, 201);
    const [{ id }] = (await (await send(stack, "GET", "", ada)).json()).schedules;
    const changed = await fetch(`${stack.url}/functions/v1/dispatch/schedules/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", ...ada },
      body: JSON.stringify({ schedule: { catchUpLimit: 1_001 } }),
    });
    assertEquals([changed.status, await changed.json().then(({ issues }) => issues?.[0].path)], [
      400,
      ["schedule", "catchUpLimit"],
    ]);
  });

  test("only users have schedules of their own", async (stack) => {
    const ada = await asUser(stack);
    const secret = { apikey: stack.secretKey };
    for (const [method, path] of [["GET", ""], ["DELETE", "/1"]] as const) {
      assertEquals((await refusal(await send(stack, method, path, secret)))[0], 403);
      assertEquals((await refusal(await send(stack, method, path, asStranger(stack))))[0], 401);
      assertEquals((await refusal(await send(stack, method, path, {})))[0], 401);
    }
    for (const query of ["?limit=0", "?limit=201", "?cursor=x", "?user=bob"]) {
      assertEquals((await refusal(await send(stack, "GET", query, ada)))[0], 400);
    }
  });

  test("a user has a limited number of schedules, and makes room by deleting", async (stack) => {
    const ada = await asUser(stack);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => stack.post("dispatch", choosy, ada)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assertEquals(statuses, [...Array(3).fill(201), ...Array(7).fill(409)]);
    const bodies = await Promise.all(answers.map((answer) => answer.json()));
    assertEquals(
      bodies.find(({ code }) => code === "conflict")?.message,
      "schedule: a user may have 3 at a time (there are 3 of yours); delete one first",
    );
    await make(stack, await asUser(stack));

    const { schedules } = await (await send(stack, "GET", "", ada)).json();
    await (await send(stack, "DELETE", `/${schedules[0].id}`, ada)).body?.cancel();
    await make(stack, ada);
  });

  test("schedules that are finished take no room, and the latest of them are kept", async (stack) => {
    const ada = await asUser(stack);
    for (let n = 0; n < 6; n++) {
      const id = await make(stack, ada);
      await stack.sql`update public.messenger_schedules
        set enabled = false, disabled_by = 'finished' where id = ${id}`;
    }
    const { schedules } = await (await send(stack, "GET", "", ada)).json();
    assert(schedules.length <= 4, `${schedules.length} are kept`);
  });

  test("the client lists and deletes a user's schedules", async (stack) => {
    const { authorization } = await asUser(stack);
    const supabase = createClient(stack.url, stack.publishableKey, {
      auth: { persistSession: false },
      accessToken: () => Promise.resolve(authorization?.slice("Bearer ".length) ?? ""),
    });
    const messenger = createMessengerClient(supabase);
    const Choosy = message<
      { type: "Choosy"; schema: { "~standard": { types?: { input: object } } } }
    >(
      "Choosy",
    );
    const { id } = await messenger.schedules.create(Choosy, {}, hourly);
    const { schedules, next } = await messenger.schedules.list();
    assertEquals([schedules.map((one) => [one.id, one.message.type]), next], [
      [[id, "Choosy"]],
      null,
    ]);
    assertEquals((await messenger.schedules.list({ cursor: id, limit: 5 })).schedules, []);
    await messenger.schedules.delete(id);
    assertEquals((await messenger.schedules.list()).schedules, []);
    const error = await assertRejects(() => messenger.schedules.delete(id), MessengerError);
    assertEquals(error.code, "not_found");
  });
});
