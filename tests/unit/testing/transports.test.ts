/** The test kit with transports beside home: their names show, and nothing is sent to them. */

import { assertEquals, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type ProjectConfig,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { createTestMessenger } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { received, recorded } from "../../support/recorded_engine.ts";

function kitOf(handler: (text: string) => unknown, { config }: { config: ProjectConfig }) {
  const schema = z.object({ text: z.string() });
  const Note = defineMessage({ type: "Note", schema, handler: ({ text }) => handler(text) });
  return { Note, t: createTestMessenger({ messages: [Note], config }) };
}

Deno.test("the kit shows a message's transport, runs what this project receives, and keeps the rest", async () => {
  const events = received();
  const eu = recorded({ outbox: false });
  const ran: string[] = [];
  const { t, Note } = kitOf((text) => ran.push(text), {
    config: { transports: { events, eu }, routing: { Note: "events" } },
  });
  await t.dispatch(Note, { text: "here" });
  await t.dispatch(Note, { text: "there" }, { transport: "eu" });
  const shown = () => t.pending().map(({ transport }) => transport);
  assertEquals(shown(), ["events", "eu"]);
  assertEquals((await t.drain()).handled, 1);
  assertEquals([ran, shown(), t.handled().map(({ transport }) => transport)], [
    ["here"],
    ["eu"],
    ["events"],
  ]);
  assertEquals([...events.published, ...eu.published], []);
});

Deno.test("the kit refuses a route that the functions would refuse", () => {
  assertThrows(
    () => kitOf(() => {}, { config: { routing: { Note: "eu" } } }),
    RangeError,
    'routing: Note: there is no transport "eu"; there are home',
  );
});
