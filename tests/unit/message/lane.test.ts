/** Lanes: the queue that a dispatch finds for its payload. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import {
  laneQueue,
  parentQueue,
} from "../../../supabase/functions/_shared/symphony/message/lane.ts";
import { workbench } from "../../support/worker.ts";

const report = (lane: unknown, more = {}) =>
  defineMessage({
    type: "Report",
    schema: z.object({ team: z.string(), region: z.string().default("eu") }),
    queue: "reports",
    lane: lane as (payload: { team: string }) => string,
    handler: () => {},
    ...more,
  });

/** The queue into which a dispatch writes. */
async function queueOf(lane: unknown, team: string, options = {}): Promise<string | undefined> {
  const { bus } = workbench([report(lane)]);
  return (await bus.prepare({ type: "Report", payload: { team }, options })).queue;
}

const ofTeam = ({ team }: { team: string }) => team;

Deno.test("a message waits in the lane that its definition finds in the payload", async () => {
  assertEquals(await queueOf(ofTeam, "acme"), "reports/acme");
  const byRegion = ({ team, region }: { team: string; region: string }) => `${team}-${region}`;
  assertEquals(await queueOf(byRegion, "acme"), "reports/acme-eu");
});

Deno.test("a dispatch may name another lane, or a queue with its lane", async () => {
  assertEquals(await queueOf(ofTeam, "acme", { lane: "globex" }), "reports/globex");
  assertEquals(await queueOf(ofTeam, "acme", { queue: "slow" }), "slow/acme");
  assertEquals(await queueOf(ofTeam, "acme", { queue: "slow/all" }), "slow/all");
  await assertRejects(
    () => queueOf(ofTeam, "acme", { queue: "slow/all", lane: "x" }),
    RangeError,
    "lane: does not go with the queue slow/all, which names a lane already",
  );
});

Deno.test("any text names a lane, and two texts never the same one", () => {
  assertEquals(laneQueue("q", "a/b c%é😀"), "q/a%2Fb%20c%25%C3%A9%F0%9F%98%80");
  assertEquals(laneQueue("q", "a%2Fb"), "q/a%252Fb");
  assertEquals([parentQueue("q/a%2Fb"), parentQueue("q")], ["q", "q"]);
});

Deno.test("a lane that is too long, empty or no text is refused by its field", async () => {
  for (const [lane, bytes] of [["", 0], ["é".repeat(51), 102], ["a\0", 2]] as const) {
    await assertRejects(
      () => queueOf(ofTeam, "x", { lane }),
      RangeError,
      `lane: has to be 1 to 100 bytes without U+0000 (was ${bytes})`,
    );
  }
  await assertRejects(
    () => queueOf(ofTeam, "x", { lane: 7 }),
    RangeError,
    "lane: has to be a string",
  );
  await assertRejects(
    () => queueOf(ofTeam, ""),
    RangeError,
    "Report: lane: has to be 1 to 100 bytes",
  );
  assertThrows(() => laneQueue("q", "\ud800"), RangeError, "lane: has to be a string");
});

Deno.test("a definition whose lane returns no string, or throws, is told so", async () => {
  for (
    const [lane, shown] of [[() => 7, "7"], [() => undefined, "undefined"], [
      () => null,
      "null",
    ]] as const
  ) {
    await assertRejects(
      () => queueOf(lane, "acme"),
      TypeError,
      `Report: lane: has to return a string; returned ${shown}`,
    );
  }
  await assertRejects(
    () => queueOf(() => Promise.reject(new Error("no")), "acme"),
    TypeError,
    "returned a Promise",
  );
  const broken = () => {
    throw new Error("no team");
  };
  await assertRejects(() => queueOf(broken, "acme"), TypeError, "Report: lane: threw");
  assertThrows(() => report("team"), RangeError, "Report: lane: has to be a function");
});
