/** The core of every function: the bus, the scheduler, the transport, and the rules of retries. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { MessageBus } from "./bus/bus.ts";
import { Events } from "./bus/events.ts";
import type { Middleware } from "./bus/middleware.ts";
import { DeliveryCalls } from "./database/delivery-calls.ts";
import { SchemaVersion } from "./database/schema-version.ts";
import type { MessageDefinition } from "./message/definition.ts";
import type { EventDefinition } from "./message/event.ts";
import { createRegistry } from "./message/registry.ts";
import { RetryManager } from "./retry/manager.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./retry/strategy.ts";
import { Router } from "./bus/router.ts";
import { checkRoutes, type RoutingOptions } from "./bus/routing.ts";
import { type Config, readConfig } from "./runtime/config.ts";
import { createLogger, type Logger } from "./runtime/log.ts";
import { readProperty, showValue } from "./runtime/inspect.ts";
import { checkNames } from "./runtime/option-names.ts";
import { secretKeys } from "./runtime/secret-keys.ts";
import type { DeclaredSchedule } from "./scheduler/declared.ts";
import type { ScheduleStore } from "./scheduler/store.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { isReceived } from "./transport/engine.ts";
import { EngineTransport } from "./transport/engine-transport.ts";
import { SupabaseTransport } from "./transport/supabase.ts";
import type { Transport } from "./transport/transport.ts";

/**
 * Jitter of a Retry-After where the message type has none: callers that were told to wait equally long
 * must not come back at the same moment.
 */
const RETRY_AFTER_JITTER = 0.1;

/** Options of {@link createMessenger}. */
export interface MessengerOptions extends RoutingOptions {
  /** Made with a secret key. */
  readonly supabase: SupabaseClient;
  readonly messages: readonly MessageDefinition[];
  /** Schedules declared in code. Without this option, the schedules in the table stay as they are. */
  readonly schedules?: readonly DeclaredSchedule[];
  readonly middleware?: readonly Middleware[];
  /** Declared events; by default none. Keys of events that are not declared may be emitted in code and SQL. */
  readonly events?: readonly EventDefinition[];
  /** Secret keys that sign the tokens of events; by default those of the environment. */
  readonly tokenSecrets?: readonly string[];
  /** For message types without a strategy of their own; by default exponential backoff. */
  readonly strategy?: RetryStrategy;
  /** Where messages are kept; by default Postgres, over `supabase`. */
  readonly transport?: Transport;
  /** Where schedules are kept; by default Postgres, over `supabase`. */
  readonly scheduleStore?: ScheduleStore;
  /** Clock of the error histories and of Retry-After dates; by default the system's. */
  readonly now?: () => Date;
  /** By default the settings of the environment. */
  readonly config?: Config;
  readonly log?: Logger;
}

/** The parts of a project that work together; a worker is made of them as well. */
export interface Messenger {
  readonly supabase: SupabaseClient;
  readonly bus: MessageBus;
  /** Home: the transport on the project's own Postgres. */
  readonly transport: Transport;
  /** Gives messages their transports; undefined if everything goes home. */
  readonly router: Router | undefined;
  /** Transports beside home that this project receives from, by name. */
  readonly receivers: ReadonlyMap<string, Transport>;
  readonly retry: RetryManager;
  readonly scheduler: Scheduler;
  readonly config: Config;
  readonly log: Logger;
  /** Whether the database's schema is new enough; null where messages are not kept there. */
  readonly schema: SchemaVersion | null;
}

const OPTIONS = Object.keys(
  {
    supabase: true,
    messages: true,
    schedules: true,
    middleware: true,
    events: true,
    tokenSecrets: true,
    strategy: true,
    transport: true,
    transports: true,
    routing: true,
    scheduleStore: true,
    now: true,
    config: true,
    log: true,
  } satisfies Record<keyof MessengerOptions, true>,
);

/** Options that nothing else checks before a request or a tick uses them, and methods that show what they are. */
const PARTS = {
  supabase: { is: "a client of supabase-js", methods: [] },
  transport: { is: "a transport", methods: ["send", "claim"] },
  scheduleStore: { is: "a store of schedules", methods: [] },
  config: { is: "an object of settings", methods: [] },
  log: { is: "a logger", methods: ["debug", "info", "warn", "error", "with"] },
} as const;

/** @throws RangeError that names an option of a wrong kind */
function checkParts(options: MessengerOptions): void {
  const refuse = (name: keyof MessengerOptions, expected: string) => {
    throw new RangeError(`${name}: has to be ${expected}; got ${showValue(options[name])}`);
  };
  for (const name of Object.keys(PARTS) as (keyof typeof PARTS)[]) {
    const { is, methods } = PARTS[name];
    const part: unknown = options[name];
    if (part === undefined) continue;
    const lacks = methods.some((method) => typeof readProperty(part, method) !== "function");
    if (typeof part !== "object" || part === null || lacks) refuse(name, is);
  }
  const { now, tokenSecrets } = options;
  if (now !== undefined && typeof now !== "function") {
    refuse("now", "a function that returns a Date");
  }
  const areTexts = Array.isArray(tokenSecrets) &&
    tokenSecrets.every((one: unknown) => typeof one === "string" && one !== "");
  if (tokenSecrets !== undefined && !areTexts) {
    // The value may hold a secret, so it is not shown.
    throw new RangeError("tokenSecrets: has to be an array of texts that are not empty");
  }
}

/**
 * Makes what dispatches and schedules messages. It handles none: that is the worker's part.
 *
 * ```ts
 * const { bus } = createMessenger({ supabase, messages });
 * await bus.dispatch(EmailMessage, { to: "ada@example.org" });
 * ```
 *
 * @throws RangeError if a definition, an option or a setting is wrong
 */
export function createMessenger(options: MessengerOptions): Messenger {
  checkNames(options, OPTIONS);
  checkParts(options);
  const { supabase, messages, schedules, middleware = [] } = options;
  const config = options.config ?? readConfig();
  const log = options.log ??
    createLogger({ level: config.logLevel, limit: config.logLimit || undefined });
  const registry = createRegistry(messages);
  const transport = options.transport ?? new SupabaseTransport(supabase);
  const maxRetryAfter = config.maxRetryAfterMs;
  // Made here and not by the worker, so that wrong retry options end every function at its start.
  const retry = new RetryManager({
    strategy: options.strategy ?? new ExponentialBackoffRetryStrategy({ maxRetryAfter }),
    transport,
    registry,
    log,
    ...(options.now && { now: options.now }),
    maxRetryAfter,
    retryAfterJitter: RETRY_AFTER_JITTER,
  });
  const events = new Events({
    transport,
    secrets: options.tokenSecrets ?? secretKeys(),
    ...(options.events && { events: options.events }),
    ...(options.now && { now: options.now }),
  });
  const routes = checkRoutes(options, registry);
  const now = options.now;
  const router = routes === null
    ? undefined
    : new Router({ registry, home: transport, routes, ...(now && { now: () => now().getTime() }) });
  const bus = new MessageBus({ registry, transport, router, middleware, events });
  const scheduler = new Scheduler({
    supabase,
    bus,
    log,
    ...(options.scheduleStore && { store: options.scheduleStore }),
    ...(schedules && { declared: schedules }),
  });
  const schema = options.transport ? null : new SchemaVersion(supabase);
  const receivers = new Map(
    [...routes?.transports ?? []].flatMap(([name, engine]) => {
      if (!isReceived(engine)) return [];
      const inbox = new DeliveryCalls(supabase, name);
      const parts = { name, engine, home: transport, inbox, log };
      return [[name, new EngineTransport(parts)] as const];
    }),
  );
  return { supabase, bus, transport, router, receivers, retry, scheduler, config, log, schema };
}
