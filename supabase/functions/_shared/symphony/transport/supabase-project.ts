/**
 * Another Supabase project as a transport: its Postgres takes the messages, and its own ticks handle them. Each
 * publication has an idempotency key there, so that one whose answer was lost is not written twice.
 */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { OutgoingMessage } from "../message/envelope.ts";
import { BUS_STAMPS } from "../message/envelope.ts";
import { isInstance } from "../runtime/inspect.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import { HOME_CAPABILITIES } from "./capabilities.ts";
import { readBody } from "./engine-body.ts";
import type { EngineMessage, EngineSender, Published } from "./engine.ts";
import { checkProject } from "./project-check.ts";
import { SupabaseTransport } from "./supabase.ts";
import { TransportError } from "./transport.ts";

/** Options of {@link supabaseProject}. */
export interface SupabaseProjectOptions {
  /**
   * The project's URL, such as `https://abcdefgh.supabase.co`. Without one, as where a secret is not set yet, messages
   * wait in the outbox.
   */
  readonly url: string | undefined;
  /** One of its secret keys, best one of its own, from a secret of this project's functions. */
  readonly key: string | undefined;
  /** Whether messages go through home's outbox; default: true. */
  readonly outbox?: boolean;
  /** Begins the names of its functions; default: nothing. */
  readonly prefix?: string;
  /** Longest time of one call, in ms; default: 10 s. */
  readonly timeoutMs?: number;
}

const OPTIONS = Object.keys(
  { url: true, key: true, outbox: true, prefix: true, timeoutMs: true } satisfies Record<
    keyof SupabaseProjectOptions,
    true
  >,
);

/** Owner of the keys of publications, which no user's id is. */
const SCOPE = "messenger.transport";

/**
 * Makes a transport of another Supabase project on which Symphony Messenger is installed.
 *
 * ```ts
 * export const config: ProjectConfig = {
 *   transports: { eu: supabaseProject({ url: Deno.env.get("EU_URL"), key: Deno.env.get("EU_SECRET_KEY") }) },
 *   routing: { "Audit*": "eu" },
 * };
 * ```
 *
 * @throws RangeError that names the wrong option
 */
export function supabaseProject(options: SupabaseProjectOptions): EngineSender {
  checkOptions(options);
  const { url = "", key = "", outbox = true, timeoutMs = 10_000, prefix = "" } = options;
  let client: SupabaseClient | undefined;
  const connect = () => client ??= createClient(url, key, { auth: { persistSession: false } });
  const missing = url === "" ? "url" : key === "" ? "key" : null;
  const { fence, order, lease, maxBytes } = HOME_CAPABILITIES;
  return {
    capabilities: { fence, order, lease, maxBytes },
    outbox,
    async publish(messages) {
      if (missing) throw new Error(`${missing}: is missing`);
      return await publish(new SupabaseTransport(connect(), { timeoutMs }), messages);
    },
    check: (types) => checkProject({ url, key, missing, prefix, timeoutMs, connect }, types),
    close: () => Promise.resolve(),
  };
}

/** Publishes messages in one call; if their content is at fault, in halves, so that one message's trouble is its own. */
async function publish(
  project: SupabaseTransport,
  messages: readonly EngineMessage[],
): Promise<readonly Published[]> {
  const [first] = messages;
  if (!first) return [];
  try {
    await project.send(messages.map(toOutgoing));
    return messages.map(() => ({ kind: "confirmed" }));
  } catch (error) {
    const isPassing = isInstance(error, TransportError) && error.fault !== "data" &&
      error.fault !== "too_much";
    if (isPassing) return messages.map(() => ({ kind: "unknown", error }));
    if (messages.length === 1) return [fateOf(error)];
    const middle = messages.length >> 1;
    const before = await publish(project, messages.slice(0, middle));
    const rest = messages.slice(middle);
    // A later message of a group must not arrive before one that is published again.
    const unknown = before.find(({ kind }) => kind === "unknown");
    return [...before, ...(unknown ? rest.map(() => unknown) : await publish(project, rest))];
  }
}

/** The fate of a message that is at fault alone. A call that took too long may pass later. */
function fateOf(error: unknown): Published {
  if (isInstance(error, TransportError) && error.fault === "too_much") {
    return { kind: "unknown", error };
  }
  const isTooLarge = isInstance(error, RangeError) &&
    /^(payload|stamps|messages): ha/.test(error.message);
  return { kind: "refused", error, ...(isTooLarge && { tooLarge: true }) };
}

/** @throws RangeError if the body was not written here */
function toOutgoing(
  { id, publication, type, queue, priority, groupKey, body }: EngineMessage,
): OutgoingMessage {
  const { origin, payload, createdAt, expiresAt, stamps } = readBody(body);
  const own = Object.entries(stamps).filter(([name]) => !BUS_STAMPS.has(name));
  // A time to live that counted from now would make other content of a repeated publication.
  const ttlMs = expiresAt === null ? undefined : Date.parse(expiresAt) - Date.parse(createdAt);
  return {
    ...{ type, payload, queue, priority },
    // It has arrived: routes of that project would send it on, perhaps back.
    transport: "home",
    ...(groupKey !== null && { groupKey }),
    ...(ttlMs !== undefined && { ttlMs }),
    idempotencyKey: `${origin}:${id}:${publication}`,
    idempotencyScope: SCOPE,
    stamps: { ...Object.fromEntries(own), origin: { installation: origin, id } },
  };
}

function checkOptions(options: SupabaseProjectOptions): void {
  checkNames(options, OPTIONS, "supabaseProject: ");
  const { url, key, outbox = true, prefix = "", timeoutMs = 1 } = options;
  const wrong = (field: string, needs: string, value: unknown) =>
    new RangeError(`supabaseProject: ${field}: has to be ${needs}; got ${showValue(value)}`);
  if (url !== undefined && !isHttpUrl(url)) {
    throw wrong("url", "the project's URL, https://<ref>.supabase.co", url);
  }
  if (key !== undefined && typeof key !== "string") throw wrong("key", "a text", key);
  if (key?.startsWith("sb_publishable_")) {
    throw new RangeError("supabaseProject: key: is a publishable key; it has to be a secret key");
  }
  if (typeof outbox !== "boolean") throw wrong("outbox", "true or false", outbox);
  if (typeof prefix !== "string") throw wrong("prefix", "a text", prefix);
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw wrong("timeoutMs", "a number of ms, more than 0", timeoutMs);
  }
}

function isHttpUrl(text: unknown): boolean {
  if (typeof text !== "string") return false;
  if (text === "") return true;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
