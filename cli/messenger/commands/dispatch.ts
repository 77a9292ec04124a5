/** `dispatch`: sends one message. */

import type { Command } from "commander";
import { addCommand, type Context, number, parseJson, text } from "../context.ts";
import { parseMoment } from "../times.ts";

interface Options {
  delay?: string;
  at?: string;
  queue?: string;
  priority?: number;
  idempotencyKey?: string;
  lane?: string;
  groupKey?: string;
  dedupeKey?: string;
  transport?: string;
}

/** Adds the command. */
export function addDispatch(program: Command, context: Context): void {
  addCommand<Options>(
    program,
    context,
    "dispatch <type> [payload]",
    "dispatches a message; the payload is JSON, - reads it from stdin",
    [
      text("--delay <duration>", "due after so long: 30s, 5m, 24h"),
      text("--at <time>", "due at this time: an ISO time, 2h, tomorrow"),
      text("--queue <queue>", "into this queue"),
      text("--lane <lane>", "into this lane of the queue, in place of the one that the type finds"),
      number("--priority <n>", "higher goes first"),
      text("--idempotency-key <key>", "a repeat within 24 hours dispatches nothing"),
      text("--group-key <key>", "runs in order with others of this key"),
      text(
        "--dedupe-key <key>",
        "while a message of this type holds the key, see the type's dedupe",
      ),
      text("--transport <name>", "through this transport, whatever the routes say"),
    ],
    async ([type = "", payload = "{}"], options) => {
      const { delay, at, queue, lane, priority, idempotencyKey, groupKey, dedupeKey, transport } =
        options;
      const json = payload === "-" ? await context.io.input() : payload;
      const { body } = await context.connect("dispatch")("POST", "", {
        type,
        payload: parseJson(json, "payload"),
        ...(delay !== undefined && { delay }),
        ...(at !== undefined && {
          availableAt: parseMoment(at, "at", context.io.now(), "in").toISOString(),
        }),
        ...(queue !== undefined && { queue }),
        ...(lane !== undefined && { lane }),
        ...(priority !== undefined && { priority }),
        ...(idempotencyKey !== undefined && { idempotencyKey }),
        ...(groupKey !== undefined && { groupKey }),
        ...(dedupeKey !== undefined && { dedupeKey }),
        ...(transport !== undefined && { transport }),
      });
      context.say(body, (body.ids as string[]).join("\n"));
    },
  );
}
