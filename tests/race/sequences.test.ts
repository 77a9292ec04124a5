/** The minute's tick looks at the sequences of ids while rows are written. */

import { assertEquals } from "@std/assert";
import { Racetrack } from "../support/racing.ts";

const track = new Racetrack(4);

Deno.test("a check of the sequences moves none back beside those who write", async () => {
  const { sql } = track;
  const until = performance.now() + 3_000;
  const trouble: string[] = [];
  const write = async () => {
    while (performance.now() < until) {
      await sql`
        insert into messenger.outbox
          (id, transport, shard, type, payload, available_at, created_at, bytes)
        select nextval('public.messenger_messages_id_seq'), 'x', 0, 'T', '1', now(), now(), 1`
        .catch((error) => trouble.push(String(error)));
    }
  };
  const look = async () => {
    while (performance.now() < until) await sql`select messenger.mend_sequences()`;
  };
  await Promise.all([write(), write(), write(), look()]);
  assertEquals(trouble, []);
});
