/** The test kit: a messenger in memory with the real bus, worker, retry rules and scheduler. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { z } from "zod";
import type { MessageBus } from "../bus/bus.ts";
import type { Middleware } from "../bus/middleware.ts";
import { typeOf } from "../message/definition-lists.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { EventDefinition } from "../message/event.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { Dispatch, MessageType } from "../message/handler.ts";
import { createMessenger, type Messenger } from "../messenger.ts";
import { type ProjectConfig, readProjectConfig } from "../project-config.ts";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { createLogger } from "../runtime/log.ts";
import { checkIsOptions, checkNames } from "../runtime/option-names.ts";
import type { DeclaredSchedule } from "../scheduler/declared.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { StoredEvent } from "../transport/event-reads.ts";
import type { SqlFunction } from "../transport/memory-functions.ts";
import type { StoredEnvelope } from "../transport/memory-rows.ts";
import type { DeadLetter } from "../transport/memory-finished.ts";
import type { WorkerReport } from "../worker/worker-options.ts";
import {
  assertDispatched,
  type AssertDispatchedOptions,
  type PartialPayload,
} from "./assert-dispatched.ts";
import { Drainer, type DrainOptions } from "./drain.ts";
import { InMemoryScheduleStore } from "./memory-schedules.ts";
import { TestClock } from "./test-clock.ts";
import { TestTransport } from "./test-transport.ts";
import { elsewhere, untouched } from "./untouched-transports.ts";
import { unusedSupabase } from "./unused-supabase.ts";

/** Options of {@link createTestMessenger}. */
export interface TestMessengerOptions {
  readonly messages: readonly MessageDefinition[];
  /** Schedules declared in code. They are synced by the first `drain` or `advance`. */
  readonly schedules?: readonly DeclaredSchedule[];
  readonly middleware?: readonly Middleware[];
  /** Declared events. */
  readonly events?: readonly EventDefinition[];
  /** Where the clock starts; the system's time by default. */
  readonly now?: Date;
  /**
   * Settings of the functions, transports and routing. The environment is not read; `logLevel` is `silent` by default,
   * and `tickMaxMs`, after which a drain without `maxMs` throws, is 10 s. No transport is connected to: its messages
   * stay in memory with its name, and `drain` runs those that this project would receive.
   */
  readonly config?: ProjectConfig;
  /**
   * Functions in the place of SQL functions, by name, for `ctx.effect`. They get the arguments, and return the result.
   */
  readonly functions?: Readonly<Record<string, SqlFunction>>;
  /** `ctx.supabase` of handlers: a client or a fake. By default, using it fails the message at once. */
  readonly supabase?: SupabaseClient;
}

/** A dead letter with its history. */
export interface TestDeadLetter extends StoredEnvelope {
  readonly reason: DeadLetter["reason"];
  /** Text of the latest error; null if there was none, as for a message that expired. */
  readonly error: string | null;
}

const OPTIONS = Object.keys(
  {
    messages: true,
    schedules: true,
    middleware: true,
    events: true,
    now: true,
    config: true,
    functions: true,
    supabase: true,
  } satisfies Record<keyof TestMessengerOptions, true>,
);

/**
 * Makes a messenger for a test. It keeps everything in memory and behaves as the one on Postgres does. Its
 * clock stands still until `advance` moves it.
 *
 * ```ts
 * const t = createTestMessenger({ messages });
 * await t.dispatch(EmailMessage, { to: "ada@example.org" });
 * const { handled } = await t.drain();
 * ```
 *
 * @throws RangeError if a definition, an option or a setting is wrong
 */
export function createTestMessenger(options: TestMessengerOptions): TestMessenger {
  checkNames(options, OPTIONS);
  return new TestMessenger(options);
}

/** A messenger for one test; see {@link createTestMessenger}. */
export class TestMessenger {
  readonly #clock: TestClock;
  readonly #transport: TestTransport;
  readonly #messenger: Messenger;
  readonly #drainer: Drainer;
  #mustSync: boolean;

  constructor(options: TestMessengerOptions) {
    const { messages, schedules, middleware, events, supabase = unusedSupabase() } = options;
    this.#clock = new TestClock(options.now);
    const { functions = {} } = options;
    checkIsOptions(functions, "functions: ");
    const { now, date } = this.#clock;
    const { config, transports, routing } = toConfig(options.config);
    this.#transport = new TestTransport({ now, elsewhere: elsewhere(transports) });
    for (const [name, fn] of Object.entries(functions)) {
      if (typeof fn !== "function") {
        throw new RangeError(`functions: ${name}: has to be a function`);
      }
      this.#transport.functions.set(name, fn);
    }
    this.#messenger = createMessenger({
      supabase,
      messages,
      config,
      transport: this.#transport,
      ...{ transports, ...(routing && { routing }) },
      scheduleStore: new InMemoryScheduleStore({ transport: this.#transport, now }),
      now: date,
      tokenSecrets: ["the secret key of a test"],
      log: createLogger({ level: config.logLevel, now: date }),
      ...(schedules && { schedules }),
      ...(middleware && { middleware }),
      ...(events && { events }),
    });
    this.#drainer = new Drainer(this.#messenger, this.#transport);
    this.#mustSync = schedules !== undefined;
  }

  /** The bus: `dispatchAll`, and whatever else dispatches. */
  get bus(): MessageBus {
    return this.#messenger.bus;
  }

  /** A scheduler over the same clock. */
  get scheduler(): Scheduler {
    return this.#messenger.scheduler;
  }

  /** Writes one message at once, as `ctx.dispatchNow` does, and returns its id. Nothing runs before `drain`. */
  readonly dispatch: Dispatch = (definition, payload, options) =>
    this.#messenger.bus.dispatch(definition, payload, options);

  /**
   * Emits an event, and returns its id. The messages that wait for it run in the next `drain`.
   * @param value checked by the event's declaration, if there is one
   * @throws RangeError if the key is wrong, InvalidPayloadError if the value is
   */
  emit(event: string, value?: unknown): Promise<string> {
    return this.bus.events.emit(event, value);
  }

  /**
   * Emits the event of a token that a handler has made by `ctx.token`, as a `POST` does, and returns its id.
   * @throws RangeError if the token is forged or has expired, ConflictError if it was used
   */
  async redeem(token: string, value?: unknown): Promise<string> {
    const content = this.bus.events.read(token);
    if (!content) throw new RangeError("token: is forged, or no token");
    if (content.isExpired) throw new RangeError("token: has expired");
    return await this.bus.events.redeem(content, value);
  }

  /** All events that were emitted, the oldest first. */
  events(): StoredEvent[] {
    return structuredClone([...this.#transport.events.all]);
  }

  /**
   * Runs what is due by the clock, until nothing is: due occurrences of schedules are dispatched, and the
   * real worker handles messages, those included that handlers dispatch meanwhile. A retry with a delay,
   * a delayed message and a snoozed one wait for `advance`.
   * @param options.maxMs how long it may take in real time. Then running handlers are stopped, as at the
   * end of a tick, and it returns. Without this option it throws after `config.tickMaxMs`, 10 s
   * @returns how many messages were claimed, handled, retried and failed for good
   */
  async drain(options: DrainOptions = {}): Promise<WorkerReport> {
    await this.#sync();
    return await this.#drainer.drain(options);
  }

  /**
   * Moves the clock forward. It runs nothing: call `drain` for what is due then.
   * @throws RangeError if it is no duration
   */
  async advance(duration: Duration): Promise<void> {
    const ms = parseDuration(duration, "advance");
    // Declared schedules are planned from the time before the move.
    await this.#sync();
    this.#clock.advance(ms);
  }

  /** Messages that wait, due or not, in the order of their dispatch. */
  pending(): StoredEnvelope[] {
    const running = new Set(this.#transport.running.map(({ id }) => id));
    return this.#transport.messages.filter(({ id }) => !running.has(id)).map(copy);
  }

  /** Messages whose handlers run at this moment. */
  running(): StoredEnvelope[] {
    return this.#transport.running.map(copy);
  }

  /** Messages whose handlers have all succeeded, in that order. */
  handled(): StoredEnvelope[] {
    return this.#transport.handled.map(copy);
  }

  /** Dead letters with their reasons and the errors of every attempt, the oldest first. */
  failed(): TestDeadLetter[] {
    return this.#transport.failed.map(({ envelope, reason }) => ({
      ...copy(envelope),
      reason,
      error: envelope.errors.at(-1)?.message ?? null,
    }));
  }

  /** The state of a batch at this moment, with its counts; null if there is none of this id. */
  batch(id: string): Promise<FollowedBatch | null> {
    return this.#transport.followBatch(id);
  }

  /**
   * Asserts that a message was dispatched: by the test, by a handler or by a schedule, whatever became of
   * it since.
   * @param partial fields that its payload has; other fields do not matter
   * @param options.times how many such messages there have to be, 0 for none; by default one or more
   * @throws DispatchAssertionError that shows what was dispatched
   * @throws RangeError if the definition is not among the messages of this messenger
   */
  assertDispatched<Schema extends z.ZodType>(
    definition: MessageType<Schema>,
    partial?: PartialPayload<z.input<Schema>>,
    options: AssertDispatchedOptions = {},
  ): void {
    const type = typeOf(definition, "assertDispatched");
    if (!this.bus.registry.get(type)) {
      throw new RangeError(
        `assertDispatched: ${type} is not known here; give it to createTestMessenger({ messages })`,
      );
    }
    assertDispatched(this.#transport.sent, type, partial, options);
  }

  /** Saves the declared schedules once, as the first tick of a deploy does. */
  async #sync(): Promise<void> {
    if (!this.#mustSync) return;
    await this.scheduler.sync();
    this.#mustSync = false;
  }
}

function toConfig(given: ProjectConfig = {}) {
  checkIsOptions(given, "config: ");
  const ofTests = { logLevel: "silent", tickMaxMs: 10_000 } as const;
  // A drain has no budget of its own; the smallest one goes with any `tickMaxMs`.
  const all = { ...ofTests, ...given, tickBudgetMs: 100 };
  const { transports = {}, ...read } = readProjectConfig(all, () => undefined);
  return { ...read, transports: untouched(transports) };
}

function copy(envelope: StoredEnvelope): StoredEnvelope {
  return structuredClone(envelope);
}
