/** The costs of a project in which nothing happens. */

import { assertEquals, equal } from "@std/assert";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MINUTES = 11;

const requests: string[] = [];

/** Rows written since the start by table: added, changed, deleted. */
async function rowsWritten(stack: TestStack): Promise<Record<string, number[]>> {
  const rows = await stack.sql`
    select relname as name, n_tup_ins::int as added, n_tup_upd::int as changed, n_tup_del::int as deleted
    from pg_stat_user_tables
    where schemaname in ('public', 'messenger', 'net') and n_tup_ins + n_tup_upd + n_tup_del > 0 order by 1`;
  return Object.fromEntries(rows.map((row) => [row.name, [row.added, row.changed, row.deleted]]));
}

/** Does what pg_cron does each minute, and waits until it is done. */
async function passMinute(stack: TestStack, minute: number): Promise<void> {
  const [job] = await stack.sql`select command from cron.job where jobname = 'symphony-tick'`;
  await stack.sql.unsafe(job?.command);
  await eventually(async () => {
    const [row] = await stack.sql`
      select count(*)::int as n from public.messenger_ticks where ended_at is not null`;
    return row?.n;
  }, (n) => n === minute);
}

testsOnStack({ net: true, onRequest: (request) => requests.push(request) }, (test) => {
  test("an idle minute costs one short call, one call of the database and three rows", async (stack) => {
    // The first one compares the schedules declared in code as well.
    await passMinute(stack, 1);
    await eventually(
      () => stack.sql`select from messenger.schedule_declarations`,
      (rows) => rows.length === 1,
    );
    requests.length = 0;
    for (let minute = 2; minute <= MINUTES; minute++) await passMinute(stack, minute);

    const calls = Object.entries(Object.groupBy(requests, (request) => request));
    assertEquals(
      Object.fromEntries(calls.map(([request, all]) => [request, all?.length])),
      {
        "POST /functions/v1/tick": MINUTES - 1,
        "POST /rest/v1/rpc/messenger_start_tick": MINUTES - 1,
      },
    );
    // Sessions report what they have written some seconds later.
    await eventually(() => rowsWritten(stack), (written) =>
      equal(written, {
        // A row that is added at the start and changed at the end.
        messenger_ticks: [MINUTES, MINUTES, 0],
        // Finds the tick's response among those of pg_net, for health.
        tick_requests: [MINUTES, 0, 0],
        // The queue `default`, which is new in each test.
        messenger_queues: [1, 0, 0],
        // In the first minute.
        schedule_declarations: [1, 0, 0],
        // pg_net's own, which are not logged.
        http_request_queue: [MINUTES, 0, MINUTES],
        _http_response: [MINUTES, 0, 0],
      }), 30_000);
  });
});
