/** Triggers of a project's own refuse what the bus writes: the status says whether trying again helps. */

import { assertEquals } from "@std/assert";
import { addFailed, ask } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { AT_COMMIT, AT_ONCE, withTrigger } from "../support/user_triggers.ts";

const note = { type: "Note", payload: { text: "x" } };
const schedule = { type: "interval", config: { interval: "1h" } };

const TRIGGERS = [["", AT_ONCE], [" at the commit", AT_COMMIT]] as const;

const three = ["a", "b", "c"].map((text) => ({ ...note, payload: { text } }));

function dispatchThree(stack: TestStack): Promise<readonly string[]> {
  return stack.dispatch(three);
}

/** Runs the body while a trigger returns null for the second of {@link three}. */
async function withSkip(
  stack: TestStack,
  [event, when]: readonly [event: "insert" | "update" | "delete", when: string],
  body: () => Promise<void>,
): Promise<void> {
  await stack.sql.unsafe(`
    create function public.skip() returns trigger language plpgsql as $$
    begin
      if ${when} and coalesce(new.payload, old.payload) ->> 'text' = 'b' then
        return null;
      end if;
      return coalesce(new, old);
    end $$;
    create trigger skip before ${event} on public.messenger_messages
      for each row execute function public.skip();
  `);
  try {
    await body();
  } finally {
    await stack.sql.unsafe("drop function public.skip() cascade");
  }
}

/** Codes that a trigger may raise, with the status and the code of the response. */
const CODES: readonly (readonly [code: string, status: number, name: string])[] = [
  ["P0001", 500, "database_error"],
  ["PT500", 500, "database_error"],
  ["45000", 500, "database_error"],
  ["23505", 409, "conflict"],
  ["PT409", 409, "conflict"],
  ["PT400", 400, "invalid_request"],
  ["40001", 503, "unavailable"],
  ["55P03", 503, "unavailable"],
  ["PT503", 503, "unavailable"],
  ["57014", 504, "timeout"],
  // PostgREST would take these for a response.
  ["PT200", 500, "database_error"],
  ["PT302", 500, "database_error"],
  ["PGRST", 500, "database_error"],
];

/** Codes of which PostgREST makes something else than an error: it repeats the first two without end. */
const MISREAD = ["40001", "40P01", "PT200", "PGRST"] as const;

testsOnStack({}, (test) => {
  for (const [code, status, name] of CODES) {
    test(`what a trigger refuses with ${code} is ${status} ${name}, at a dispatch, a redrive and a change of a queue`, async (stack) => {
      const failed = await addFailed(stack);
      await withTrigger(stack, ["messenger_messages", code], async () => {
        const response = await stack.post("dispatch", note);
        assertEquals([response.status, (await response.json()).code], [status, name]);
        const redriven = await ask(stack, "POST", `/failed-messages/${failed}/redrive`, {});
        assertEquals([redriven.status, redriven.body.code], [status, name]);
        assertEquals(await stack.count(), 0);
      });
      await withTrigger(stack, ["messenger_queues", code], async () => {
        const changed = await ask(stack, "PATCH", "/queues/default", { weight: 2 });
        assertEquals([changed.status, changed.body.code], [status, name]);
      });
    });
  }

  for (
    const [given, status, name] of [[402, 400, "invalid_request"], [500, 500, "database_error"], [
      429,
      429,
      "rate_limited",
    ]] as const
  ) {
    test(`what a trigger refuses with a status ${given} and a code of its own is ${status} ${name}`, async (stack) => {
      await stack.sql.unsafe(`
        create function public.refuse() returns trigger language plpgsql as $$
        begin
          raise sqlstate 'PGRST' using message = '{"code": "no credit", "message": "there is no credit", "details": "ask"}',
            detail = '{"status": ${given}, "headers": {}}';
        end $$;
        create trigger refuse before insert on public.messenger_messages
          for each row execute function public.refuse();
      `);
      try {
        const response = await stack.post("dispatch", note);
        assertEquals([response.status, (await response.json()).code], [status, name]);
      } finally {
        await stack.sql.unsafe("drop function public.refuse() cascade");
      }
    });
  }

  for (const [code, status] of [["PT500", 500], ["40001", 503]] as const) {
    test(`a schedule that a trigger refuses with ${code} is ${status}, for a backend and an operator`, async (stack) => {
      const open = { type: "Open", payload: { text: "x" }, schedule };
      const { scheduleId } = await (await stack.post("dispatch", open)).json();
      await withTrigger(stack, ["messenger_schedules", code], async () => {
        assertEquals((await stack.post("dispatch", open)).status, status);
        const asked = [
          ["POST", "/schedules", open],
          ["PATCH", `/schedules/${scheduleId}`, { config: { interval: "2h" } }],
          ["POST", `/schedules/${scheduleId}/pause`, {}],
        ] as const;
        for (const [method, path, body] of asked) {
          assertEquals((await ask(stack, method, path, body)).status, status, path);
        }
      });
    });
  }

  const refusals = TRIGGERS.flatMap((trigger) =>
    ["P0001", "45000", "PT500", ...MISREAD].map((code) => [code, ...trigger] as const)
  );

  for (const [code, at, create] of refusals) {
    test(`an outcome that a trigger refuses with ${code}${at} ends its own message alone`, async (stack) => {
      const ids = await stack.dispatch([1, 0, 1].map((failures) => ({
        ...{ type: "Wobbly", payload: { failures, snoozes: failures === 0 ? 1 : 0 } },
      })));
      const isSnoozed =
        "old.lease_token is not null and new.lease_token is null and new.retry_count = 0";
      const when = `tg_op = 'UPDATE' and ${isSnoozed}`;
      await withTrigger(stack, ["messenger_messages", code, when], async () => {
        await stack.tick();
      }, create);
      const dead = await stack.sql`select id::text from public.messenger_failed_messages`;
      assertEquals([await stack.count(), dead.map(({ id }) => id)], [0, [ids[1]]]);
    });

    test(`a message that a trigger lets no worker have, with ${code}${at}, is dead, and holds up no other`, async (stack) => {
      const [, bad] = await stack.dispatch(
        ["a", "b", "c"].map((text) => ({ ...note, payload: { text } })),
      );
      const when = "new.status = 'processing' and new.payload ->> 'text' = 'b'";
      await withTrigger(stack, ["messenger_messages", code, when], async () => {
        const { messages } = await stack.tick();
        assertEquals(messages.handled, 2);
      }, create);
      const dead = await stack
        .sql`select id::text, reason, error from public.messenger_failed_messages`;
      assertEquals([...dead], [{
        ...{ id: bad, reason: "unrecoverable" },
        error: "the message could not be leased: the project refuses it",
      }]);
    });
  }

  for (const code of ["55P03", "08006", "PT503"]) {
    test(`a message whose lease a trigger refuses with ${code} waits, holds up no other, and is dead the fifth time`, async (stack) => {
      const [, bad] = await dispatchThree(stack);
      const when = "new.status = 'processing' and new.payload ->> 'text' = 'b'";
      await withTrigger(stack, ["messenger_messages", code, when], async () => {
        for (let time = 1; time <= 5; time++) {
          const dead = await stack.sql`select id from public.messenger_failed_messages`;
          assertEquals([dead.length, (await stack.tick()).messages.handled], [
            0,
            time === 1 ? 2 : 0,
          ]);
          await stack
            .sql`update public.messenger_messages set available_at = public.messenger_now() where status = 'pending'`;
        }
      });
      const dead = await stack
        .sql`select id::text, jsonb_array_length(errors) as times from public.messenger_failed_messages`;
      assertEquals([...dead], [{ id: bad, times: 5 }]);
    });
  }

  test("a message whose lease a trigger skips holds up no other, and stays", async (stack) => {
    const [, bad] = await dispatchThree(stack);
    await withSkip(stack, ["update", "new.status = 'processing'"], async () => {
      const { messages } = await stack.tick();
      assertEquals([messages.claimed, messages.handled], [2, 2]);
    });
    assertEquals([await stack.count(), (await stack.effects()).length], [1, 2]);
    assertEquals((await stack.tick()).messages.handled, 1);
    assertEquals((await stack.effects()).at(-1)?.message_id, bad);
  });

  test("a handled message whose deletion a trigger skips stays, and the others are deleted", async (stack) => {
    await dispatchThree(stack);
    await withSkip(stack, ["delete", "true"], async () => {
      const { messages } = await stack.tick();
      assertEquals([messages.claimed, messages.handled], [2, 2]);
    });
    const left = await stack
      .sql`select payload ->> 'text' as text, status from public.messenger_messages`;
    assertEquals([...left], [{ text: "b", status: "pending" }]);
  });

  test("a message that a trigger skips is refused, with all others of its call", async (stack) => {
    await withSkip(stack, ["insert", "true"], async () => {
      const response = await stack.post("dispatch", three);
      assertEquals([response.status, (await response.json()).code], [500, "database_error"]);
    });
    assertEquals(await stack.count(), 0);
  });

  for (const [code, status] of [["40001", 503], ["PT200", 500], ["PGRST", 500]] as const) {
    test(`what a trigger refuses with ${code} at the commit is ${status} at a dispatch, an emit and an operation`, async (stack) => {
      const failed = await addFailed(stack);
      await withTrigger(stack, ["messenger_messages", code], async () => {
        assertEquals((await stack.post("dispatch", note)).status, status);
        assertEquals(
          (await ask(stack, "POST", `/failed-messages/${failed}/redrive`, {})).status,
          status,
        );
      }, AT_COMMIT);
      await withTrigger(stack, ["messenger_events", code], async () => {
        const emitted = await stack.client.rpc("messenger_emit", { event: "paid" });
        assertEquals(emitted.status, status);
      }, AT_COMMIT);
      assertEquals(await stack.count(), 0);
    });
  }

  for (const [at, create] of TRIGGERS) {
    test(`a conflict that a trigger raises${at} is 503 for each function that a client calls`, async (stack) => {
      const [row] = await stack.sql`
        insert into public.messenger_ticks (started_at) values (now()) returning id::text
      `;
      const tick = row?.id;
      const calls = [
        ["messenger_messages", "messenger_dispatch", { type: "Note" }],
        ["messenger_messages", "messenger_enqueue", { messages: [{ type: "Note" }] }],
        ["messenger_messages", "messenger_enqueue", {
          ...{ messages: [{ type: "Note" }], checked: true },
        }],
        ["messenger_messages", "messenger_dispatch_batch", {
          ...{ messages: [{ type: "Note" }], name: "notes" },
        }],
        ["messenger_ticks", "messenger_heartbeat_tick", { tick }],
        ["messenger_ticks", "messenger_heartbeat_worker", { tick, report: {} }],
        ["messenger_ticks", "messenger_end_tick", { tick }],
        ["messenger_queues", "messenger_set_queue", { name: "default", settings: { weight: 7 } }],
      ] as const;
      for (const [table, name, args] of calls) {
        await withTrigger(stack, [table, "40001"], async () => {
          const { status, error } = await stack.client.rpc(name, args);
          assertEquals([name, status, error?.code], [name, 503, "PT503"]);
        }, create);
      }
      assertEquals(await stack.count(), 0);
    });
  }
});
