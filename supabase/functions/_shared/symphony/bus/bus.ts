/** The bus: checks messages, lets middleware see them, and hands them to the transport. */

import { z } from "zod";
import type { DispatchOptions, MessageInput } from "../message/dispatch-options.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { DispatchTimeoutError, UnknownMessageTypeError } from "../message/errors.ts";
import type { HandlerContext } from "../message/handler.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { Registry } from "../message/registry.ts";
import { aroundHandlers, checkMiddleware, type Middleware } from "./middleware.ts";
import { checkNames } from "../runtime/option-names.ts";
import { checkAgain, outgoing } from "./outgoing.ts";
import { checkPayload, DISPATCH_TIMEOUT_MS, toStorableJson } from "../message/payload.ts";
import type { Transport } from "../transport/transport.ts";
import { within } from "../runtime/within.ts";

/** Errors for which the message as it was given is not to blame, but what middleware made of it. */
const ofMiddleware = new WeakSet<object>();

/** Whether {@link MessageBus.prepare} threw an error for what middleware did, and not for what it was given. */
export function isOfMiddleware(error: unknown): boolean {
  return typeof error === "object" && error !== null && ofMiddleware.has(error);
}

const INPUT = ["type", "payload", "options"];

/** Dispatches messages, and runs handlers within the middleware. */
export class MessageBus {
  readonly registry: Registry;
  readonly #transport: Transport;
  readonly #middleware: readonly Middleware[];
  /** Those of it that stand around the handlers. */
  readonly #around: readonly Middleware[];

  /** @throws RangeError if what is given as middleware is none */
  constructor(options: {
    readonly registry: Registry;
    readonly transport: Transport;
    readonly middleware?: readonly Middleware[];
  }) {
    checkNames(options, ["registry", "transport", "middleware"]);
    this.registry = options.registry;
    this.#transport = options.transport;
    this.#middleware = (options.middleware ?? []).map(checkMiddleware);
    this.#around = this.#middleware.filter(({ handle }) => handle !== undefined);
  }

  /**
   * Dispatches one message and answers its id.
   * @throws InvalidPayloadError if the schema refuses the payload
   * @throws RangeError that names the option which is wrong
   * @throws TransportError if it could not be written
   */
  readonly dispatch = async <Schema extends z.ZodType>(
    definition: MessageDefinition<Schema>,
    payload: z.input<Schema>,
    options: DispatchOptions = {},
  ): Promise<string> => {
    const [id] = await this.dispatchAll([{ type: definition.type, payload, options }]);
    return String(id);
  };

  /**
   * Dispatches messages, all or none, and answers their ids in order.
   * @throws what {@link dispatch} throws, and UnknownMessageTypeError
   */
  async dispatchAll(messages: readonly MessageInput[]): Promise<string[]> {
    return this.send(await Promise.all(messages.map((message) => this.prepare(message))));
  }

  /** Writes messages as {@link prepare} has made them, all or none, and returns their ids in order. */
  send(prepared: readonly OutgoingMessage[]): Promise<string[]> {
    return this.#transport.send(prepared);
  }

  /** Checks a message and gives it its definition's values; nothing is written. */
  async prepare(input: MessageInput): Promise<OutgoingMessage> {
    checkNames(input, INPUT);
    const { type, payload, options = {} } = input;
    const definition = this.registry.get(type);
    if (!definition) throw new UnknownMessageTypeError(type);
    const json = await this.#checkPayload(definition, payload);
    const message = outgoing(definition, json, options);
    if (this.#middleware.length === 0) return message;
    try {
      return await this.#throughMiddleware(message);
    } catch (error) {
      if (typeof error === "object" && error !== null) ofMiddleware.add(error);
      throw error;
    }
  }

  /** The payload as it will be stored; the handler gets it parsed once more. */
  async #checkPayload(definition: MessageDefinition, payload: unknown): Promise<unknown> {
    const json = toStorableJson(definition.type, payload, definition.maxPayloadBytes);
    const checked = checkPayload(definition, json);
    if (checked instanceof Promise) await checked;
    return json;
  }

  /** What each makes of the message is held to the same rules as what was given. */
  async #throughMiddleware(given: OutgoingMessage): Promise<OutgoingMessage> {
    let message = given;
    for (const [index, middleware] of this.#middleware.entries()) {
      if (!middleware.dispatch) continue;
      const late = () =>
        new DispatchTimeoutError(`middleware: ${index + 1}: dispatch`, DISPATCH_TIMEOUT_MS);
      const returned = middleware.dispatch(message);
      message = checkAgain(await within(returned, DISPATCH_TIMEOUT_MS, late));
      const definition = this.registry.get(message.type);
      if (!definition) throw new UnknownMessageTypeError(message.type);
      // It may have changed the payload in its place.
      message = { ...message, payload: await this.#checkPayload(definition, message.payload) };
    }
    return message;
  }

  /** Whether middleware stands around the handlers. */
  get standsAround(): boolean {
    return this.#around.length > 0;
  }

  /**
   * Runs `handlers` within the middleware, the first one outermost.
   * @throws MiddlewareError where middleware calls `next` twice, or does not wait for it
   */
  handle(ctx: HandlerContext, handlers: () => Promise<void>): Promise<void> {
    return this.#around.length === 0 ? handlers() : aroundHandlers(this.#around, ctx, handlers);
  }
}
