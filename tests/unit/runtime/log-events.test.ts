/** The list of log events, beside the calls in the source and the page that shows it. */

import { assert, assertEquals } from "@std/assert";
import {
  LOG_EVENTS,
  type LogEvent,
} from "../../../supabase/functions/_shared/symphony/runtime/log-events.ts";
import { LOG_FIELDS } from "../../../supabase/functions/_shared/symphony/runtime/log-fields.ts";
import { readLogCalls } from "../../support/log_calls.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const calls = readLogCalls([`${ROOT}supabase/functions/_shared/symphony`]);
const events: Readonly<Record<string, LogEvent>> = LOG_EVENTS;
/** Written where lines are left out, and not by a call. */
const OF_THE_LOGGER = "lines_left_out";

Deno.test("each call in the source logs an event of the list, at its level, with its fields", () => {
  assert(calls.length > 40, `${calls.length} calls were found`);
  for (const { event, level, fields, place } of calls) {
    const known = events[event];
    assert(known, `${place}: ${event} is not in runtime/log-events.ts`);
    const names: readonly string[] = known?.fields ?? [];
    assertEquals(level, known?.level, `${place}: level of ${event}`);
    for (const field of fields) {
      assert(
        names.includes(field),
        `${place}: ${event} has no field ${field} in runtime/log-events.ts`,
      );
    }
  }
});

Deno.test("each event of the list is logged somewhere", () => {
  const logged = new Set(calls.map(({ event }) => event));
  const unused = Object.keys(events).filter((name) => !logged.has(name) && name !== OF_THE_LOGGER);
  assertEquals(unused, []);
});

Deno.test("names are in snake_case, each field is used, and its name is one word in camelCase", () => {
  for (const name of Object.keys(events)) assert(/^[a-z]+(_[a-z]+)*$/.test(name), name);
  const used = new Set(Object.values(events).flatMap(({ fields }) => fields));
  for (const field of Object.keys(LOG_FIELDS)) {
    assert((used as ReadonlySet<string>).has(field), `no event has ${field}`);
    assert(/^[a-z]+([A-Z][a-z]+)*$/.test(field), field);
  }
});

Deno.test("docs/logs.md shows the events and the fields of the list", () => {
  const page = Deno.readTextFileSync(`${ROOT}docs/logs.md`);
  const rows = page.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const shown = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  assertEquals(
    rows.filter((cells) => cells.length === 4),
    Object.entries(events).map((
      [name, { level, means, fields }],
    ) => [`\`${name}\``, level, means.replaceAll("|", "\\|"), shown(fields)]),
  );
  assertEquals(
    rows.filter((cells) => cells.length === 2),
    Object.entries(LOG_FIELDS).map(([name, means]) => [`\`${name}\``, means]),
  );
});
