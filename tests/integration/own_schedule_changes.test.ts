/** Users change, pause and resume their own schedules over HTTPS, within the rules of the creation. */

import { assertEquals } from "@std/assert";
import type { OwnSchedule } from "../../supabase/functions/_shared/symphony/scheduler/own-schedule.ts";
import { asStranger, asUser, refusal } from "../support/frontend.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

type Headers = Record<string, string>;

const hourly = { type: "interval", config: { interval: "1h" } } as const;
const open = { type: "Open", payload: { text: "x" }, schedule: hourly };

async function make(stack: TestStack, body: object, headers: Headers): Promise<string> {
  const response = await stack.post("dispatch", body, headers);
  assertEquals(response.status, 201);
  return (await response.json()).scheduleId;
}

const send = (stack: TestStack, method: string, id: string, headers: Headers, body?: unknown) =>
  fetch(`${stack.url}/functions/v1/dispatch/schedules/${id}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

async function change(
  stack: TestStack,
  id: string,
  headers: Headers,
  body: unknown,
): Promise<OwnSchedule> {
  const response = await send(stack, "PATCH", id, headers, body);
  const answer = await response.json();
  assertEquals(response.status, 200, JSON.stringify(answer));
  return answer;
}

testsOnStack({ env: { SYMPHONY_MAX_USER_SCHEDULES: "3" } }, (test) => {
  test("a user sees one of their schedules, and changes only what is given", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, { ...open, schedule: { ...hourly, maxRuns: 9 } }, ada);
    const seen: OwnSchedule = await (await send(stack, "GET", id, ada)).json();
    assertEquals([seen.kind, seen.id, seen.maxRuns], ["schedule", id, 9]);
    assertEquals(await change(stack, id, ada, { payload: { text: "y" } }), {
      ...seen,
      message: { type: "Open", payload: { text: "y" } },
    });
    const later = await change(stack, id, ada, {
      schedule: { type: "cron", config: { cron: "0 9 * * *" }, timezone: "Asia/Tokyo" },
    });
    assertEquals([later.type, later.config, later.timezone, later.maxRuns], [
      "cron",
      { cron: "0 9 * * *" },
      "Asia/Tokyo",
      9,
    ]);
    assertEquals(new Date(later.nextRunAt ?? "").toISOString().slice(11, 16), "00:00");
    const { maxRuns } = await change(stack, id, ada, { schedule: { maxRuns: null } });
    assertEquals(maxRuns, null);
    const [row] = await stack.sql`
      select stamps -> 'user' ->> 'id' is not null as owned, payload from public.messenger_schedules
      where id = ${id}`;
    assertEquals([row?.owned, row?.payload], [true, { text: "y" }]);
  });

  test("changes of different fields at one time lose nothing", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, open, ada);
    await Promise.all([
      change(stack, id, ada, { payload: { text: "y" } }),
      change(stack, id, ada, { schedule: { overlap: "skip" } }),
      change(stack, id, ada, { schedule: { maxRuns: 5 } }),
      change(stack, id, ada, { enabled: false }),
    ]);
    const { message, overlap, maxRuns, enabled, disabledBy }: OwnSchedule =
      await (await send(stack, "GET", id, ada)).json();
    assertEquals([message.payload, overlap, maxRuns, enabled, disabledBy], [
      { text: "y" },
      "skip",
      5,
      false,
      "pause",
    ]);
  });

  test("two changes at one time do not reach together what the rule refuses", async (stack) => {
    const ada = await asUser(stack);
    const quiet = { type: "Loud", payload: { loud: false } };
    for (let round = 0; round < 5; round++) {
      const id = await make(stack, { ...quiet, schedule: { ...hourly, maxRuns: 5 } }, ada);
      const responses = await Promise.all([
        send(stack, "PATCH", id, ada, { payload: { loud: true } }),
        send(stack, "PATCH", id, ada, { schedule: { maxRuns: null } }),
      ]);
      const told = await Promise.all(responses.map(async (response) => {
        await response.body?.cancel();
        return response.status;
      }));
      assertEquals(told.toSorted(), [200, 403]);
      await (await send(stack, "DELETE", id, ada)).body?.cancel();
    }
  });

  test("a user pauses and resumes, but not what an operator has paused", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, open, ada);
    for (const enabled of [false, false, true, true]) {
      const { disabledBy } = await change(stack, id, ada, { enabled });
      assertEquals(disabledBy, enabled ? null : "pause");
    }
    await stack.client.rpc("messenger_pause_schedule", { id });
    const response = await send(stack, "PATCH", id, ada, { enabled: true });
    assertEquals([response.status, await response.json()], [409, {
      code: "conflict",
      message: "enabled: an operator has stopped the schedule",
      issues: [{ path: ["enabled"], message: "an operator has stopped the schedule" }],
    }]);
    assertEquals((await change(stack, id, ada, { payload: { text: "y" } })).enabled, false);
  });

  test("a change passes the access rule, the payload's check, the bounds and the limits", async (stack) => {
    const ada = await asUser(stack, { appMetadata: { team: "blue" } });
    const ruled = await make(stack, {
      type: "Ruled",
      payload: { team: "blue" },
      schedule: hourly,
    }, ada);
    const id = await make(stack, open, ada);
    const far = new Date(Date.now() + 90 * 86_400_000).toISOString();
    for (
      const [of, body, told] of [
        [ruled, { payload: { team: "red" } }, [403, "forbidden", ["type"]]],
        [id, { payload: { text: 1 } }, [400, "invalid_payload", ["payload", "text"]]],
        [id, { schedule: { config: { interval: "1ms" } } }, [400, "invalid_request", [
          "schedule",
          "config",
          "interval",
        ]]],
        [id, { schedule: { type: "once", config: { at: far } } }, [400, "invalid_request", [
          "schedule",
          "config",
          "at",
        ]]],
        [id, { schedule: { endAt: "2026-01-01T00:00:00Z" } }, [400, "invalid_request", [
          "schedule",
          "endAt",
        ]]],
        [id, { schedule: { startAt: far } }, [400, "invalid_request", ["schedule", "startAt"]]],
        [id, { schedule: { timezone: "Europe/Paris" } }, [400, "invalid_request", [
          "schedule",
          "timezone",
        ]]],
      ] as const
    ) {
      const response = await send(stack, "PATCH", of, ada, body);
      assertEquals(await refusal(response), [...told], JSON.stringify(body));
    }
    const limited = await make(stack, { type: "Limited", payload: {}, schedule: hourly }, ada);
    await change(stack, limited, ada, { schedule: { overlap: "skip" } });
    await change(stack, limited, ada, { schedule: { overlap: "allow" } });
    const fourth = await send(stack, "PATCH", limited, ada, { schedule: { overlap: "skip" } });
    assertEquals([fourth.headers.get("retry-after") !== null, await refusal(fourth)], [
      true,
      [429, "rate_limited", undefined],
    ]);
    assertEquals((await change(stack, limited, ada, { enabled: false })).overlap, "allow");
  });

  test("what users may not set is refused by its name", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, open, ada);
    for (
      const [body, status, message] of [
        [{ schedule: { name: "ours" } }, 403, "schedule.name: users may not name it"],
        [{ declared: true }, 400, "declared: is not a field of this request"],
        [{ queue: "mail" }, 400, "queue: is not a field of this request"],
        [{ stamps: {} }, 400, "stamps: is not a field of this request"],
        [{ type: "Note" }, 400, "type: is not a field of this request"],
        [
          { schedule: { nextRunAt: null } },
          400,
          "schedule.nextRunAt: is not a field of this request",
        ],
        [{ schedule: { type: "cron" } }, 400, "schedule.config: is required with a type"],
        [
          { schedule: { config: {} } },
          400,
          "schedule.config: has to be one of { at }, { cron }, { interval }",
        ],
        [{ enabled: "no" }, 400, "enabled: has to be true or false"],
        [{}, 400, "give payload, schedule or enabled"],
      ] as const
    ) {
      const response = await send(stack, "PATCH", id, ada, body);
      assertEquals([response.status, (await response.json()).message], [status, message]);
    }
  });

  test("a type that is closed to its user by now is paused and deleted, and not changed", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, open, ada);
    await stack.sql`update public.messenger_schedules set message_type = 'Note' where id = ${id}`;
    for (
      const body of [{ enabled: true }, { payload: { text: "y" } }, { schedule: { maxRuns: 1 } }]
    ) {
      const response = await send(stack, "PATCH", id, ada, body);
      assertEquals(await refusal(response), [403, "forbidden", ["schedule"]]);
    }
    assertEquals((await change(stack, id, ada, { enabled: false })).enabled, false);
    assertEquals((await send(stack, "DELETE", id, ada)).status, 200);
  });

  test("another user sees and changes no schedule of a user, and cannot tell whether it is there", async (stack) => {
    const id = await make(stack, open, await asUser(stack));
    const bob = await asUser(stack);
    const bodies = [{ enabled: false }, { payload: { text: "y" } }, { schedule: { maxRuns: 1 } }];
    for (
      const [method, body] of [
        ["GET", undefined],
        ...bodies.map((body) => ["PATCH", body]),
      ] as const
    ) {
      const unknown = await send(stack, method as string, "999999", bob, body);
      const told = [unknown.status, await unknown.json()];
      assertEquals(told[0], 404);
      for (const other of [id, "x", "9".repeat(30)]) {
        const response = await send(stack, method as string, other, bob, body);
        assertEquals([response.status, await response.json()], told);
      }
      const secret = await send(stack, method as string, id, { apikey: stack.secretKey }, body);
      assertEquals((await refusal(secret))[0], 403);
      assertEquals(
        (await refusal(await send(stack, method as string, id, asStranger(stack), body)))[0],
        401,
      );
    }
    const [row] = await stack
      .sql`select payload, enabled, max_runs from public.messenger_schedules where id = ${id}`;
    assertEquals({ ...row }, { payload: { text: "x" }, enabled: true, max_runs: null });
  });

  test("a finished schedule whose times stay is finished after any other change", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, { ...open, schedule: { ...hourly, maxRuns: 1 } }, ada);
    await stack.sql`update public.messenger_schedules
      set next_run_at = now() - interval '1 second' where id = ${id}`;
    await stack.tick();
    for (
      const body of [
        { payload: { text: "y" } },
        { schedule: { overlap: "skip" } },
        { payload: { text: "z" }, enabled: false },
      ]
    ) {
      const { enabled, disabledBy, nextRunAt } = await change(stack, id, ada, body);
      assertEquals([enabled, disabledBy, nextRunAt], [false, "finished", null]);
    }
    const resumed = await send(stack, "PATCH", id, ada, { enabled: true });
    assertEquals(await refusal(resumed), [409, "conflict", ["enabled"]]);
    assertEquals((await change(stack, id, ada, { schedule: { maxRuns: 2 } })).enabled, true);
  });

  test("a change of a schedule that is deleted meanwhile finds none", async (stack) => {
    const ada = await asUser(stack);
    for (let round = 0; round < 5; round++) {
      const id = await make(stack, open, ada);
      const [removed, ...changes] = await Promise.all([
        send(stack, "DELETE", id, ada),
        send(stack, "PATCH", id, ada, { payload: { text: "y" } }),
        send(stack, "PATCH", id, ada, { payload: { text: "z" } }),
      ]);
      await removed.body?.cancel();
      for (const response of changes) {
        const told = await refusal(response);
        assertEquals(told, response.ok ? [200] : [404, "not_found", undefined]);
      }
    }
  });

  test("a schedule has one text as its id", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, open, ada);
    for (const other of [`0${id}`, `00${id}`, `%20${id}`, `${id}.0`, "%D9%A1"]) {
      for (const [method, body] of [["GET"], ["PATCH", { enabled: false }], ["DELETE"]] as const) {
        assertEquals((await refusal(await send(stack, method, other, ada, body)))[0], 404, other);
      }
    }
    assertEquals(await refusal(await send(stack, "GET", id, ada)), [200]);
  });

  test("a finished schedule that runs again counts against the number that a user may have", async (stack) => {
    const ada = await asUser(stack);
    const id = await make(stack, { ...open, schedule: { ...hourly, maxRuns: 1 } }, ada);
    await stack.sql`update public.messenger_schedules
      set run_count = 1, enabled = false, disabled_by = 'finished', next_run_at = null
      where id = ${id}`;
    const [first = ""] = [
      await make(stack, open, ada),
      await make(stack, open, ada),
      await make(stack, open, ada),
    ];
    const again = { schedule: { maxRuns: 2 } };
    assertEquals(await refusal(await send(stack, "PATCH", id, ada, again)), [409, "conflict", [
      "schedule",
    ]]);
    assertEquals(await refusal(await send(stack, "PATCH", id, ada, { enabled: true })), [
      409,
      "conflict",
      ["enabled"],
    ]);
    await (await send(stack, "DELETE", first, ada)).body?.cancel();
    assertEquals((await change(stack, id, ada, again)).enabled, true);
  });
});
