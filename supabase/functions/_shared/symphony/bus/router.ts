/**
 * The router: gives each message its transport, and sends it there. A message of another transport is written to home's
 * outbox, in one call with the messages of home. A transport with `outbox: false` gets directly what needs nothing of
 * Postgres.
 */

import type { OutgoingMessage } from "../message/envelope.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { Registry } from "../message/registry.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { jsonBytes } from "../runtime/json-length.ts";
import { isReceived } from "../transport/engine.ts";
import type { Sender, Transport } from "../transport/transport.ts";
import { DirectSender } from "./direct-sender.ts";
import { checkTransportName, HOME, type Route, type Routes } from "./routing.ts";

/** The parts of a router. */
export interface RouterParts {
  readonly registry: Registry;
  /** The transport on the project's own Postgres. */
  readonly home: Pick<Transport, "send" | "reserveIds" | "loadSteps">;
  readonly routes: Routes;
  /** The clock, in ms since 1970; default: the system's. */
  readonly now?: () => number;
}

/** Sends each message through its one transport. */
export class Router implements Sender {
  readonly #parts: RouterParts;
  readonly #direct: ReadonlyMap<string, DirectSender>;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    const { home, routes: { transports }, now = Date.now } = parts;
    const direct = [...transports].filter(([, { outbox = true }]) => !outbox);
    this.#direct = new Map(
      direct.map(([name, engine]) => [name, new DirectSender(name, engine, home, now)]),
    );
  }

  /** The routes of the project. */
  get routes(): Routes {
    return this.#parts.routes;
  }

  /**
   * Gives a message its transport: that of the dispatch, or the one of its type's route.
   * @throws RangeError if there is no such transport, a route's function returns none or throws, or the message is too
   * large for the transport
   */
  route(message: OutgoingMessage): OutgoingMessage {
    const { byType, transports } = this.#parts.routes;
    const chosen = message.transport;
    const transport = chosen === undefined
      ? this.#decide(byType.get(message.type) ?? HOME, message)
      : checkTransportName(chosen, "transport", transports);
    this.#check(message, transport);
    return { ...message, transport };
  }

  /** Whether another project handles what goes through a transport, and tells nothing of what becomes of it. */
  isElsewhere(transport: string | undefined): boolean {
    const engine = this.#parts.routes.transports.get(transport ?? HOME);
    return engine !== undefined && !isReceived(engine);
  }

  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    const direct = limits.length === 0 ? this.#directOf(messages) : undefined;
    return await (direct ?? this.#parts.home).send(messages, limits);
  }

  /** The direct sender of messages that share it, and need nothing of Postgres. */
  #directOf(messages: readonly OutgoingMessage[]): DirectSender | undefined {
    const [first] = messages;
    const direct = this.#direct.get(first?.transport ?? HOME);
    const isDirect = (message: OutgoingMessage) =>
      message.transport === first?.transport && DirectSender.takes(message);
    return direct && messages.every(isDirect) ? direct : undefined;
  }

  #decide(route: Route, message: OutgoingMessage): string {
    if (typeof route === "string") return route;
    const field = `route of ${message.type}`;
    let name: unknown;
    try {
      // A function may change what it is given.
      name = route(structuredClone(message));
    } catch (error) {
      throw new RangeError(`${field}: failed with ${String(readProperty(error, "message"))}`, {
        cause: error,
      });
    }
    if (name instanceof Promise) {
      // Its rejection would end the process.
      name.catch(() => {});
      throw new RangeError(`${field}: has to return the name at once; it returned a promise`);
    }
    return checkTransportName(name, field, this.#parts.routes.transports);
  }

  #check(message: OutgoingMessage, transport: string): void {
    const { registry, routes: { transports } } = this.#parts;
    const engine = transports.get(transport);
    const definition = registry.get(message.type);
    if (definition?.handlers.length === 0 && !definition.batch && !this.isElsewhere(transport)) {
      throw new RangeError(
        `transport: ${message.type} has no handler here, and ${
          showValue(transport)
        } is received here`,
      );
    }
    if (!engine) return;
    const bytes = jsonBytes(message.payload);
    const { maxBytes } = engine.capabilities;
    if (bytes <= maxBytes) return;
    throw new RangeError(
      `payload: has ${bytes} bytes; ${transport} takes at most ${maxBytes}`,
    );
  }
}
