/**
 * The agent of the floor: the least that any queue on Postgres has to do with a message. Bare SQL on one
 * direct connection, without retries, leases that lapse, schemas, groups, wake-ups or limits.
 */

import postgres from "postgres";
import { type Queue, queueTasks } from "./queue.ts";
import { type PeerConfig, serve } from "./serve.ts";

const PAUSE_MS = 100;

interface Row {
  id: string;
  payload: { n: number; text: string };
}

await serve<PeerConfig>(({ url }, emit) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });

  const lock = (size: number) =>
    // By ctid the rows that are locked are updated without a second walk through the primary key.
    sql<Row[]>`
      update bare set locked_until = now() + interval '30 seconds'
      where ctid = any (array(
        select ctid from bare
        where queue = 'default' and available_at <= now() and locked_until is null
        order by priority desc, available_at, id
        limit ${size}
        for update skip locked
      ))
      returning id, payload`;

  const queue: Queue = {
    enqueue: async (numbers) => {
      const rows = numbers.map((n) => ({ type: "Noop", payload: { n, text: "no-op" } }));
      // As a text, which postgres.js sends as it is.
      await sql`
        insert into bare (type, payload, queue, priority, available_at, created_at)
        select type, payload, 'default', 0, now(), now()
        from json_to_recordset(${JSON.stringify(rows)}::text::json) as (type text, payload jsonb)`;
    },
    drain: ({ batchSize }, onHandled) => {
      let isStopping = false;
      const loop = async () => {
        while (!isStopping) {
          const rows = await lock(batchSize);
          for (const { payload } of rows) onHandled(payload.n);
          const ids = rows.map(({ id }) => id);
          if (ids.length > 0) await sql`delete from bare where id = any (${ids}::bigint[])`;
          else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      };
      const running = loop();
      return Promise.resolve({
        stop: () => {
          isStopping = true;
          return running;
        },
      });
    },
  };
  return queueTasks(queue, emit);
});
