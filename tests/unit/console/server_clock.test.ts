/** The server's clock in the console. */

import { assertAlmostEquals } from "@std/assert";
import { learnTime, serverNow } from "../../../console/api/server-clock.ts";

Deno.test("the server's time is learned from an answer, and one without a time changes nothing", () => {
  const now = Date.now();
  learnTime(new Date(now + 7_200_000).toISOString(), now - 100, now + 100);
  assertAlmostEquals(serverNow() - Date.now(), 7_200_000, 1_000);
  learnTime(undefined, now, now);
  learnTime("soon", now, now);
  assertAlmostEquals(serverNow() - Date.now(), 7_200_000, 1_000);
  learnTime(new Date(now).toISOString(), now, now);
  assertAlmostEquals(serverNow() - Date.now(), 0, 1_000);
});
