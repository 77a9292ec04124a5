/** Operators who make one webhook endpoint at once: the second one is refused, and overwrites nothing. */

import { assertEquals } from "@std/assert";
import { Racetrack, untilBlocked } from "../support/racing.ts";

const track = new Racetrack(2);

/** Makes the endpoint `acme`. Returns undefined, or the code of the error. */
function create(lane: number, url: string): Promise<string | undefined> {
  return track.lane(lane)`select public.messenger_create_webhook_endpoint('acme', ${
    track.lane(lane).json({ url })
  })`.then(() => undefined, ({ code }) => code);
}

track.testOnce("of two creates of one endpoint, the second waits and is refused", async () => {
  await track.lane(0)`begin`;
  assertEquals(await create(0, "https://a.example/"), undefined);
  const second = create(1, "https://b.example/");
  await untilBlocked(track.sql);
  await track.lane(0)`commit`;
  assertEquals(await second, "PT409");
  assertEquals(
    [...await track.sql`select url from public.messenger_webhook_endpoints`],
    [{ url: "https://a.example/" }],
  );
  const secrets = await track.sql`select from vault.secrets where name like 'webhook_acme%'`;
  assertEquals(secrets.length, 1);
});
