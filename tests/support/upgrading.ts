/** Workers on both sides of an upgrade, and a count of what their handlers ran. */

import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import {
  OutdatedSchemaError,
  SchemaVersion,
} from "../../supabase/functions/_shared/symphony/database/schema-version.ts";
import { defineMessage } from "../../supabase/functions/_shared/symphony/message/define-message.ts";
import { createMessenger } from "../../supabase/functions/_shared/symphony/messenger.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { TransportError } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import type { TestStack } from "./stack.ts";

/** One run of a handler. */
export interface Run {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  /** The number of the attempt; the first is 1. */
  readonly attempt: number;
}

/** The runs of all workers, in their order. */
export class Runs {
  readonly all: Run[] = [];

  /** Definitions of these types, whose handlers only note that they ran. */
  definitions(types: readonly string[]) {
    return types.map((type) =>
      defineMessage({
        type,
        schema: z.unknown(),
        handler: (payload, { envelope: { id }, attempt }) =>
          void this.all.push({ id, type, payload, attempt }),
      })
    );
  }

  /** How many messages of a type ran, and how many of them exactly once. */
  of(type: string): [messages: number, once: number] {
    const counts = new Map<string, number>();
    for (const run of this.all) {
      if (run.type === type) counts.set(run.id, (counts.get(run.id) ?? 0) + 1);
    }
    return [counts.size, [...counts.values()].filter((count) => count === 1).length];
  }
}

/** A worker of this library. */
export type TestWorker = ReturnType<typeof createWorker>;

/** A worker whose library needs a version of the schema; default: the one that this library needs. */
export function workerOf(
  { url, secretKey }: TestStack,
  messages: ReturnType<Runs["definitions"]>,
  needed?: string,
): TestWorker {
  const supabase = createClient(url, secretKey, { auth: { persistSession: false } });
  const messenger = createMessenger({
    supabase,
    messages,
    config: readConfig(() => undefined, { workerBatchSize: 50 }),
    log: createLogger({ level: "error", write: () => {} }),
  });
  return createWorker({ ...messenger, schema: new SchemaVersion(supabase, needed) });
}

/** The work of a drain. */
export interface Drained {
  /** Ticks that claimed nothing, because the schema was too old. */
  refused: number;
  claimed: number;
}

/** Longest time of a drain on a busy machine. */
const DRAIN_MS = 240_000;

/**
 * Ticks until nothing is left. A library that is too new waits for the schema.
 * @throws Error if something is left after four minutes
 */
export async function drain(
  stack: TestStack,
  worker: TestWorker,
  done: Drained = { refused: 0, claimed: 0 },
): Promise<Drained> {
  const deadline = performance.now() + DRAIN_MS;
  while (await isOpen(stack)) {
    if (performance.now() > deadline) throw new Error("messages or schedules are left");
    try {
      const { messages } = await worker.tick({ budgetMs: 2_000, maxMs: 20_000, caller: "waits" });
      done.claimed += messages.claimed;
    } catch (error) {
      // A tick that met the migration in passing, as by a deadlock, is followed by the next.
      const passes = error instanceof TransportError && error.fault === "passing";
      if (!passes && !(error instanceof OutdatedSchemaError)) throw error;
      if (!passes) done.refused++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return done;
}

async function isOpen({ sql }: TestStack): Promise<boolean> {
  const [row] = await sql`select exists (select from public.messenger_messages)
    or exists (select from public.messenger_schedules where enabled) as open`;
  return row?.open === true;
}
