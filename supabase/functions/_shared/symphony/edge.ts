/**
 * The door for edge functions: each function's index.ts calls one of these with the project.
 *
 * ```ts
 * // supabase/functions/tick/index.ts
 * import { createTick } from "../_shared/symphony/edge.ts";
 * import * as project from "../_messages/mod.ts";
 *
 * export default createTick(project);
 * ```
 *
 * The functions share this file, and the first request of each waits until it has loaded. So each imports its app
 * dynamically, by a literal path, which the bundlers of Supabase and npm follow: none loads what only another needs.
 */

import "./runtime/zod-version.ts";
import type { z } from "zod";
import { createAdminClient } from "@supabase/server/core";
import type { Middleware } from "./bus/middleware.ts";
import { routingOf } from "./bus/routing.ts";
import type { EventDefinition } from "./message/event.ts";
import { typeOf } from "./message/definition-lists.ts";
import type { MessageDefinition } from "./message/definition.ts";
import { createMessenger, type Messenger } from "./messenger.ts";
import { type ProjectConfig, readProjectConfig } from "./project-config.ts";
import type { DeclaredSchedule } from "./scheduler/declared.ts";
import { checkIsOptions, checkNames } from "./runtime/option-names.ts";
import type { IncomingWebhookOptions } from "./webhooks/incoming-options.ts";
import { checkIncoming } from "./webhooks/check-incoming.ts";
import type { ResidentOptions } from "./worker/resident/resident.ts";

export type { IncomingWebhook, IncomingWebhookOptions } from "./webhooks/incoming-options.ts";
export {
  type IncomingRequest,
  InvalidSignatureError,
  type SchemeOptions,
  type VerifiedWebhook,
  verifyGithub,
  verifyStandardWebhooks,
  verifyStripe,
  verifySvix,
  type VerifyWebhook,
  type WebhookScheme,
} from "./webhooks/incoming-scheme.ts";

/** A project, as its `_messages/mod.ts` exports it; other exports are ignored. */
export interface Project {
  readonly messages: readonly MessageDefinition[];
  /** Schedules declared in code. Without this export, the schedules in the table stay as they are. */
  readonly schedules?: readonly DeclaredSchedule[];
  /** Declared events: their values are checked, and they may be emitted over HTTPS. */
  readonly events?: readonly EventDefinition[];
  /** Sees every message on its way in, and stands around its handling; the first is outermost. */
  readonly middleware?: readonly Middleware[];
  /** Settings of the functions, transports and routing. A setting's environment variable wins over its value here. */
  readonly config?: ProjectConfig;
}

/** The default export of a function's index.ts. */
export interface EdgeFunction {
  readonly fetch: (request: Request) => Promise<Response>;
}

/**
 * Makes the function `dispatch`: the way in for messages and schedules.
 * @throws RangeError if a definition, an option or a setting is wrong
 */
export function createDispatch(project: Project): EdgeFunction {
  const messenger = messengerOf(project);
  return serve(import("./http/dispatch-app.ts").then(({ dispatchApp }) => dispatchApp(messenger)));
}

/**
 * Makes the function `tick`: it dispatches what schedules have due, and handles messages.
 * @throws RangeError if a definition, an option or a setting is wrong
 */
export function createTick(project: Project): EdgeFunction {
  const messenger = messengerOf(project, project?.schedules);
  return serve(import("./http/tick-app.ts").then(({ tickApp }) => tickApp(messenger)));
}

/**
 * Makes the function `messenger`: the management API.
 * @throws RangeError if a definition, an option or a setting is wrong
 */
export function createManagement(project: Project): EdgeFunction {
  const messenger = messengerOf(project);
  return serve(
    import("./http/management-app.ts").then(({ managementApp }) => managementApp(messenger)),
  );
}

const WEBHOOK_OPTIONS = Object.keys(
  {
    ...{ verify: true, source: true, message: true, payload: true, options: true },
    ...{ middleware: true, config: true },
  } satisfies Record<keyof IncomingWebhookOptions<z.ZodType>, true>,
);

/**
 * Makes a function that takes in the webhooks of another system: it verifies the signature, dispatches the message
 * once for each id of the sender, and answers.
 *
 * ```ts
 * // supabase/functions/stripe-webhook/index.ts
 * export default createWebhook({
 *   verify: verifyStripe({ secrets: [Deno.env.get("STRIPE_WEBHOOK_SECRET")] }),
 *   message: StripeEvent,
 * });
 * ```
 *
 * @throws RangeError if an option or a setting is wrong
 */
export function createWebhook<Schema extends z.ZodType>(
  options: IncomingWebhookOptions<Schema>,
): EdgeFunction {
  checkNames(options, WEBHOOK_OPTIONS);
  checkIncoming(options);
  const { message, middleware = [], config = {} } = options;
  checkIsOptions(config, "config: ");
  typeOf(message, "message");
  const messages = [message as unknown as MessageDefinition];
  // The project's routes of other types are none of this function's.
  const own = { ...config, ...routingOf(message.type, config.routing) };
  const messenger = messengerOf({ messages, middleware, config: own });
  return serve(
    import("./http/webhook-app.ts").then(({ webhookApp }) => webhookApp(messenger, options)),
  );
}

/** @param schedules only the tick syncs the declared schedules */
function messengerOf(project: Project, schedules?: readonly DeclaredSchedule[]): Messenger {
  checkIsOptions(project, "project: ");
  const { messages, middleware = [], events = [], config } = project;
  return createMessenger({
    supabase: createAdminClient(),
    messages,
    middleware,
    events,
    ...readProjectConfig(config),
    ...(schedules && { schedules }),
  });
}

/** Options of {@link runWorker}. */
export interface RunWorkerOptions extends Pick<ResidentOptions, "queues" | "concurrency" | "name"> {
  /** How long running handlers may work after SIGTERM or SIGINT, in ms. */
  readonly graceMs: number;
}

/**
 * Runs a resident worker in this process, of Deno, until SIGTERM or SIGINT ends it:
 * `symphony-messenger worker` calls it. Uncaught errors of handlers are logged, and end nothing.
 * @throws RangeError if a definition, an option or a setting is wrong
 * @throws TransportError if the database cannot be reached at the start
 */
export async function runWorker(project: Project, options: RunWorkerOptions): Promise<void> {
  checkIsOptions(options, "runWorker: ");
  const { graceMs, ...rest } = options;
  const messenger = messengerOf(project);
  const { log } = messenger;
  const [{ createWorker }, { listenForSignals }, { surviveStrayErrors }] = await Promise.all([
    import("./worker/create-worker.ts"),
    import("./worker/resident/signals.ts"),
    import("./runtime/stray-errors.ts"),
  ]);
  surviveStrayErrors(log);
  const signals = listenForSignals({ graceMs, onSignal, exit: Deno.exit, log });
  await createWorker(messenger).resident({ ...rest, ...signals });
}

/** Windows has no SIGTERM. */
function onSignal(callback: (signal: string) => void): void {
  for (
    const signal of Deno.build.os === "windows"
      ? ["SIGINT"] as const
      : ["SIGINT", "SIGTERM"] as const
  ) {
    Deno.addSignalListener(signal, () => callback(signal));
  }
}

interface App {
  fetch(request: Request): Response | Promise<Response>;
}

function serve(app: App | Promise<App>): EdgeFunction {
  return { fetch: async (request) => await (await app).fetch(request) };
}
