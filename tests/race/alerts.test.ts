/** Checks of alerts that overlap: each event is told once, and posted once. */

import { assertEquals } from "@std/assert";
import type { Call } from "../support/racing.ts";
import { Racetrack } from "../support/racing.ts";

const track = new Racetrack(4);

const check: Call = (sql) => sql`select public.messenger_check_alerts()`;
const test: Call = (sql) => sql`select public.messenger_test_alert_channel('ops')`;
const show: Call = (sql) => sql`select public.messenger_show_alert_delivery(1)`;

/** How many deliveries there are of each event, and how many requests of each were given to pg_net. */
async function told(): Promise<unknown[]> {
  return [
    ...await track.sql`
    select d.event, count(distinct d.id)::int as deliveries, count(q.id)::int as requests
    from public.messenger_alert_deliveries d left join net.http_request_queue q on q.id = d.request_id
    group by 1 order by 1`,
  ];
}

for (const ends of [false, true]) {
  track.testOnce(
    `checks that overlap tell ${ends ? "the end of an alert" : "an alert"} once`,
    async () => {
      for (let round = 0; round < 20; round++) {
        await track
          .sql`truncate public.messenger_alert_deliveries, public.messenger_failed_messages,
        public.messenger_alerts, net.http_request_queue`;
        await track.sql`select public.messenger_set_alert_channel('ops',
        '{"kind":"webhook","url":"https://a.example/hook"}')`;
        await track.sql`select public.messenger_create_alert('dead', 'dead_letters')`;
        if (ends) {
          await track.sql`update public.messenger_alerts set state = 'firing', told_at = now()`;
        } else {
          await track
            .sql`insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at)
          values (1, 'T', '{}', 'default', 'exhausted', now())`;
        }
        await Promise.all(
          [check, check, test, show].map((call, lane) => call(track.lane(lane), [])),
        );
        await check(track.lane(0), []);
        assertEquals(await told(), [
          { event: ends ? "resolved" : "firing", deliveries: 1, requests: 1 },
          { event: "test", deliveries: 1, requests: 1 },
        ]);
        assertEquals((await track.sql`select from net.http_request_queue`).length, 2);
      }
    },
  );
}
