/** Promises of every engine to those that send through it: a confirmed message arrives as it was, or it is refused. */

import { assert, assertEquals } from "@std/assert";
import type { Stamps } from "../../supabase/functions/_shared/symphony/index.ts";
import {
  type EngineBody,
  writeBody,
} from "../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import type {
  EngineMessage,
  EngineSender,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { promises } from "./promises.ts";

/** A message as its receiver sees it. */
export interface Arrived {
  readonly type: string;
  readonly payload: unknown;
  readonly queue: string;
  readonly priority: number;
  readonly groupKey: string | null;
  /** Without those of the bus. */
  readonly stamps: Stamps;
}

/** An engine to be tested, empty. */
export interface EngineSenderUnderTest {
  readonly engine: EngineSender;
  /** The messages that have arrived, those of a group in order. */
  arrived(): Promise<readonly Arrived[]>;
  close(): Promise<void>;
}

const never = new AbortController().signal;
const origin = crypto.randomUUID();

/** A message as the relay publishes it. */
export function published(
  id: number,
  more: Partial<Omit<EngineMessage, "id" | "body">> & { readonly body?: Partial<EngineBody> } = {},
): EngineMessage {
  const { body: facts, ...fields } = more;
  const { priority = 0, groupKey = null } = fields;
  const written = writeBody({
    ...{ origin, payload: id, createdAt: "2026-01-01T00:00:00.000Z", priority, groupKey },
    ...facts,
  });
  return {
    ...{ id: String(id), publication: 1, type: "Note", queue: "default", priority, groupKey },
    ...fields,
    body: written,
    bytes: new TextEncoder().encode(written).length,
  };
}

/** Registers the suite for one engine. */
export function testEngineSending(
  name: string,
  open: () => Promise<EngineSenderUnderTest>,
): void {
  const promise = promises(name, open);
  const fates = async ({ engine }: EngineSenderUnderTest, ...messages: EngineMessage[]) =>
    (await engine.publish(messages, never)).map(({ kind }) => kind);
  const payloads = async (t: EngineSenderUnderTest) =>
    (await t.arrived()).map(({ payload }) => payload);

  promise("a confirmed message arrives as it was published", async (t) => {
    const payload = { to: "ädä", nested: { list: [1, null, "x"], empty: {} } };
    const more = { type: "Mail", queue: "mail", priority: 7, groupKey: "team 7" };
    const body = { payload, stamps: { mine: { list: [1] } } };
    assertEquals(await fates(t, published(1, { ...more, body })), ["confirmed"]);
    assertEquals(await t.arrived(), [{ ...more, ...body }]);
  });

  promise("a payload may be null, false, a text or empty", async (t) => {
    const given = [null, false, "", 0, [], {}];
    const messages = given.map((payload, n) =>
      published(n + 1, { groupKey: "g", body: { payload, groupKey: "g" } })
    );
    await fates(t, ...messages);
    assertEquals(await payloads(t), given);
  });

  promise("the messages of a group arrive in the order of their publication", async (t) => {
    const messages = Array.from({ length: 100 }, (_, n) => published(n + 1, { groupKey: "g" }));
    await fates(t, ...messages.slice(0, 60));
    await fates(t, ...messages.slice(60));
    assertEquals(await payloads(t), messages.map((_, n) => n + 1));
  });

  promise("each message has its fate, in the order of the call", async (t) => {
    const large = "x".repeat(t.engine.capabilities.maxBytes + 1_000);
    const messages = [published(1), published(2, { body: { payload: large } }), published(3)];
    const told = await t.engine.publish(messages, never);
    assertEquals(told.map(({ kind }) => kind), ["confirmed", "refused", "confirmed"]);
    const [, refused] = told;
    assert(refused?.kind === "refused" && refused.tooLarge === true);
    assertEquals((await payloads(t)).toSorted(), [1, 3]);
  });

  promise("publishing nothing returns nothing", async (t) => {
    assertEquals(await fates(t), []);
  });

  promise("an engine that is well has no problem to tell", async (t) => {
    assertEquals(await t.engine.check(["Note"]), []);
  });
}
