/** Options of RabbitMQ as a transport. */

import { showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";

/** Addresses of the nodes of one cluster: `amqps://user:password@host/vhost`. */
export type AmqpUrl = string | readonly string[];

/** Options of {@link amqp}. */
export interface AmqpOptions {
  /**
   * URL of the broker, or those of its nodes, which are tried in turn. A function is asked for each connection, so that
   * credentials may change. Without one, as where a secret is not set yet, messages wait in the outbox.
   */
  readonly url: AmqpUrl | undefined | (() => AmqpUrl | Promise<AmqpUrl>);
  /** The queues whose messages go through it; default: `default`. A message of another queue is refused. */
  readonly queues?: readonly string[];
  /**
   * Queues whose messages are handled by one worker at a time, in order, or true for all. Another worker takes over
   * when it goes. Default: none.
   */
  readonly ordered?: boolean | readonly string[];
  /** Begins the names of its queues in the broker; default: `symphony.`. */
  readonly prefix?: string;
  /**
   * Most messages of a queue that a worker holds, 1 to 2,000; default: 100. Slow handlers need few. Those that wait for
   * others of their group do not count, but in a queue that is `ordered`.
   */
  readonly prefetch?: number;
  /** Deliveries of one copy after which the broker sets it aside, 10 to 1,000,000; default: 1,000. */
  readonly deliveryLimit?: number;
  /** Largest body, in bytes; default: 16 MiB, which is the `max_message_size` of RabbitMQ 4. */
  readonly maxBytes?: number;
  /** Whether messages go through home's outbox; default: true. */
  readonly outbox?: boolean;
  /** Longest time of one call, in ms; default: 10 s. */
  readonly timeoutMs?: number;
  /** Certificates in PEM, for brokers that have one of their own or ask for one. */
  readonly tls?: AmqpTls;
}

/** Certificates in PEM. */
export interface AmqpTls {
  /** Certificate of the authority that has signed the broker's; default: those of the system. */
  readonly ca?: string;
  /** Certificate that is shown to the broker, and its key. */
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
}

/** Options with their defaults. */
export type AmqpSettings = ReturnType<typeof readAmqpOptions>;

const OPTIONS = Object.keys(
  {
    ...{ url: true, queues: true, ordered: true, prefix: true, prefetch: true, tls: true },
    ...{ deliveryLimit: true, maxBytes: true, outbox: true, timeoutMs: true },
  } satisfies Record<keyof AmqpOptions, true>,
);
const TLS_OPTIONS = ["ca", "cert", "key", "passphrase"];
const QUEUE = /^[A-Za-z0-9_.:-]{1,100}$/;

/**
 * Checks options, and fills in defaults.
 * @throws RangeError that names the wrong option
 */
export function readAmqpOptions(options: AmqpOptions) {
  checkNames(options, OPTIONS, "amqp: ");
  const { url, queues = ["default"], ordered = false, prefix = "symphony.", tls = {} } = options;
  const { outbox = true } = options;
  if (typeof url !== "function") checkUrls(url);
  if (!Array.isArray(queues) || queues.length === 0 || !queues.every(isQueue)) {
    throw wrong("queues", "names of 1 to 100 letters, digits or _ . : -", queues);
  }
  const inOrder = ordered === true ? queues : ordered === false ? [] : ordered;
  const isKnown = (one: unknown) => queues.some((queue) => queue === one);
  if (!Array.isArray(inOrder) || !inOrder.every(isKnown)) {
    throw wrong("ordered", "true, or names of its queues", ordered);
  }
  if (typeof prefix !== "string" || !/^[A-Za-z0-9_.:-]{0,50}$/.test(prefix)) {
    throw wrong("prefix", "up to 50 letters, digits or _ . : -", prefix);
  }
  if (typeof outbox !== "boolean") throw wrong("outbox", "true or false", outbox);
  checkNames(tls, TLS_OPTIONS, "amqp: tls: ");
  for (const [name, value] of Object.entries(tls)) {
    if (typeof value !== "string") throw wrong(`tls: ${name}`, "a text in PEM", value);
  }
  return {
    ...{ url, queues: [...new Set(queues)], ordered: new Set(inOrder), prefix, outbox, tls },
    prefetch: whole("prefetch", options.prefetch, 100, 1, 2_000),
    deliveryLimit: whole("deliveryLimit", options.deliveryLimit, 1_000, 10, 1_000_000),
    maxBytes: whole("maxBytes", options.maxBytes, 16_777_216, 1_000, 536_870_912),
    timeoutMs: whole("timeoutMs", options.timeoutMs, 10_000, 1, 600_000),
  };
}

/**
 * Checks the addresses of a broker.
 * @returns them as a list
 * @throws RangeError that tells no password
 */
export function checkUrls(url: unknown): readonly string[] {
  const urls: readonly unknown[] = Array.isArray(url) ? url : url ? [url] : [];
  urls.forEach((one, index) => {
    const isUrl = typeof one === "string" && URL.canParse(one) &&
      /^amqps?:$/.test(new URL(one).protocol) && new URL(one).hostname !== "";
    if (isUrl) return;
    // It may be a secret with a mistake in it.
    throw new RangeError(
      `amqp: url: has to be amqps://user:password@host/vhost; number ${index + 1} is not`,
    );
  });
  return urls.map(String);
}

function whole(
  name: string,
  value: unknown,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  throw wrong(name, `a whole number from ${least} to ${most}`, value);
}

function isQueue(name: unknown): boolean {
  return typeof name === "string" && QUEUE.test(name);
}

function wrong(field: string, needs: string, value: unknown): RangeError {
  return new RangeError(`amqp: ${field}: has to be ${needs}; got ${showValue(value)}`);
}
