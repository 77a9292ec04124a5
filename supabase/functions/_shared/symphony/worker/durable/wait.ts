/** `ctx.waitFor`: the message is parked until an event comes that fits, or until its time is over. */

import type { z } from "zod";
import { type Events, LONGEST_WAIT_MS } from "../../bus/events.ts";
import type { TakenEvent, WaitOptions } from "../../message/durable-context.ts";
import { InvalidPayloadError } from "../../message/errors.ts";
import { checkReserved } from "../../message/event.ts";
import { parseStored } from "../../message/payload.ts";
import { partsOfSchema } from "../../message/schema-parts.ts";
import { checkKey, checkMoment } from "../../runtime/checks.ts";
import { dictionary } from "../../runtime/dictionary.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { isInstance, showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import type { EventCursor, StoredEvent } from "../../transport/event-reads.ts";
import type { Task } from "../run/task.ts";
import type { DurableCall, DurableTools, RunningStep } from "./durable-call.ts";
import type { DurableRun } from "./durable-run.ts";
import { allMovedOn } from "./event-cursor.ts";

const DEFAULT_TIMEOUT = "30d";
/** Most keys of one wait. */
const MOST_KEYS = 10;

/** The details that a wait keeps beside its result. */
interface WaitDetails {
  readonly keys: readonly string[];
  /** ISO 8601. */
  readonly since: string;
  /** The place of the message in the events of each key, up to and with the event that it took. */
  readonly cursors: Readonly<Record<string, EventCursor>>;
  /** Key of the event that it took; missing while it waits, and if its time was over. */
  readonly taken?: string;
}

/** A wait as its call says it. */
interface Wait {
  readonly keys: readonly string[];
  readonly timeoutMs: number;
  readonly since: Date;
  /** Parses a value. @throws if it does not fit */
  readonly parse: (event: Pick<StoredEvent, "event" | "value">) => unknown;
}

/** Parts of the worker that a wait needs. */
interface WaitTools extends DurableTools {
  readonly bus: { readonly events: Events };
}

/** Makes the call of `ctx.waitFor`. @throws RangeError that names the wrong option */
export async function waitFor(
  durable: () => DurableRun,
  task: Task,
  tools: WaitTools,
  event: string | readonly string[],
  options: WaitOptions = {},
): Promise<TakenEvent<unknown> | null> {
  const wait = checkedWait(task, tools.bus.events, event, options);
  const run = durable();
  const [first = "", ...others] = wait.keys;
  // A cut must not leave half of a surrogate pair, which Postgres cannot hold.
  const start = first.slice(0, 240).replace(/\p{Cs}$/u, "");
  const name = others.length === 0 ? first : `${start} or ${others.length} more`;
  const call: { -readonly [Part in keyof DurableCall]: DurableCall[Part] } = {
    ...{ kind: "wait", name },
    label: `ctx.waitFor(${showValue(name)})`,
  };
  const taken = await run.run(call, async (step) => {
    const { found, details } = await look(wait, step, { run, task, tools });
    const leftMs = step.stored?.leftMs ?? (step.stored ? Infinity : wait.timeoutMs);
    if (found || leftMs <= 0) {
      call.details = details;
      return found && { key: found.event, value: found.value };
    }
    const parked = { ...step.identity, kind: "wait", status: "pending", details } as const;
    const untilMs = step.stored ? {} : { untilMs: wait.timeoutMs };
    return step.park({ delayMs: null, step: { ...parked, ...untilMs }, waits: wait.keys });
  }) as { key: string; value: unknown } | null | undefined;
  if (!taken) return null;
  const { key, value } = taken;
  return { key, value: await wait.parse({ event: key, value }) };
}

function checkedWait(
  task: Task,
  events: Events,
  event: string | readonly string[],
  options: WaitOptions,
): Wait {
  checkNames(options, ["schema", "timeout", "since"], "ctx.waitFor: ");
  const keys = [...new Set(Array.isArray(event) ? event : [event])];
  if (keys.length === 0 || keys.length > MOST_KEYS) {
    throw new RangeError(
      `ctx.waitFor: event: has to be a key, or 1 to ${MOST_KEYS} keys (was ${showValue(event)})`,
    );
  }
  for (const key of keys) {
    checkReserved(checkKey(key, "ctx.waitFor: event"), "ctx.waitFor: event");
  }
  const { schema, timeout = DEFAULT_TIMEOUT, since } = options;
  if (
    schema !== undefined && !(typeof schema === "object" && schema !== null && "_zod" in schema)
  ) {
    throw new RangeError("ctx.waitFor: schema: has to be a zod schema, of zod 4");
  }
  const timeoutMs = parseDuration(timeout, "ctx.waitFor: timeout", LONGEST_WAIT_MS);
  return {
    ...{ keys, timeoutMs },
    since: sinceOf(task.envelope.createdAt, since),
    parse: ({ event: type, value }) =>
      parsed(schema ?? events.definitionOf(type)?.schema, type, value),
  };
}

/** A schema's function may change in place what it is given: it gets a copy, because the value is stored as it came. */
function parsed(schema: z.ZodType | undefined, type: string, value: unknown): unknown {
  if (!schema) return value;
  const { callsFunctions } = partsOfSchema(schema);
  return parseStored({ type, schema }, callsFunctions ? structuredClone(value) : value);
}

/** `since` widens a wait, and never narrows it. */
function sinceOf(dispatchedAt: Date, since: WaitOptions["since"]): Date {
  const dispatched = dispatchedAt.getTime();
  if (since === undefined) return dispatchedAt;
  const ms = since instanceof Date
    ? checkMoment(since, "ctx.waitFor: since")
    : dispatched - parseDuration(since, "ctx.waitFor: since");
  return new Date(Math.min(ms, dispatched));
}

/** Looks at the events that are there, up to the first that fits. */
async function look(
  wait: Wait,
  { stored, identity }: RunningStep,
  { run, task, tools }: { run: DurableRun; task: Task; tools: WaitTools },
): Promise<{ readonly found: StoredEvent | null; readonly details: WaitDetails }> {
  const { keys, since } = wait;
  let cursors = stored
    ? (stored.details as WaitDetails).cursors
    : takenBefore(run, identity.handler, keys);
  const end = (found: StoredEvent | null) => ({
    found,
    details: { keys, since: since.toISOString(), cursors, ...(found && { taken: found.event }) },
  });
  for (;;) {
    const { events, more, ...moment } = await tools.eventReader.read(task, {
      keys,
      cursors,
      since,
    });
    const index = await firstFitting(events, wait, (event) => {
      const { id, type } = task.envelope;
      tools.log.info("event_passed_over", { id, type, event: event.event, eventId: event.id });
    });
    const examined = index < 0 ? events : events.slice(0, index + 1);
    const isAll = !more && examined.length === events.length;
    cursors = allMovedOn(keys, cursors, { events: examined, isAll, ...moment });
    if (index >= 0) return end(events[index] ?? null);
    if (!more) return end(null);
  }
}

async function firstFitting(
  events: readonly StoredEvent[],
  { parse }: Wait,
  passOver: (event: StoredEvent) => void,
): Promise<number> {
  for (const [index, event] of events.entries()) {
    try {
      await parse(event);
      return index;
    } catch (error) {
      // A schema that failed, as one that asks a database may, has refused nothing: the run ends, to be repeated.
      if (!isInstance(error, InvalidPayloadError)) throw error;
      passOver(event);
    }
  }
  return -1;
}

/** The places in these keys behind the events that earlier waits of this handler took: the next wait begins behind it. */
function takenBefore(
  run: DurableRun,
  handler: string,
  keys: readonly string[],
): Record<string, EventCursor> {
  const cursors = dictionary<EventCursor>();
  for (const step of run.steps) {
    if (step.kind !== "wait" || step.status !== "done" || step.handler !== handler) continue;
    // A wait whose time was over has taken nothing: what it passed over is there for the next one.
    const { taken = "", cursors: seen } = step.details as WaitDetails;
    const cursor = Object.hasOwn(seen, taken) ? seen[taken] : undefined;
    if (cursor && keys.includes(taken)) cursors[taken] = cursor;
  }
  return cursors;
}
