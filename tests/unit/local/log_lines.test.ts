/** How `deno task dev` shows the functions' output. */

import { assert, assertEquals } from "@std/assert";
import { formatLogLine, isLogLine } from "../../../local/log_lines.ts";

const TIME = "2026-01-02T03:04:05.678Z";

/** A line of the log as a function prints it. */
function logged(fields: Record<string, unknown>): string {
  return JSON.stringify({ level: "warn", time: TIME, event: "message_retried", ...fields });
}

/** The formatted line after its time of day, which depends on this machine's zone. */
function shown(output: string, isColoured = false): string {
  const text = formatLogLine("tick", output, isColoured);
  assert(/^\d\d:\d\d:\d\d\.\d{3} /.test(text), text);
  return text.slice("03:04:05.678 ".length);
}

Deno.test("fields are shown as name=value, and only text with spaces is quoted", () => {
  assertEquals(
    shown(logged({ id: "7", type: "Email", error: "no answer", tries: [1, 2] })),
    `tick      warn  message_retried id=7 type=Email error="no answer" tries=[1,2]`,
  );
});

Deno.test("a field of several lines is indented below its line", () => {
  assertEquals(
    shown(logged({ stack: "Error: x\n    at y", id: "7" })),
    "tick      warn  message_retried id=7\n    stack=Error: x\n        at y",
  );
});

Deno.test("what is not a line of the log keeps its text, without a level", () => {
  for (const output of ["plain", "{", "1", "null", '{"event":"no level"}']) {
    assertEquals([shown(output), isLogLine(output)], [`tick            ${output}`, false]);
  }
  assertEquals(isLogLine(logged({})), true);
});

Deno.test("a level has its colour on a terminal", () => {
  assertEquals(shown(logged({}), true), "tick      \x1b[33mwarn \x1b[0m message_retried");
});
