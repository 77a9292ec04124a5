/** Makes messages ready for a transport: checks them, fills in their definition's values, passes them through middleware. */

import type { DispatchOptions, MessageInput } from "../message/dispatch-options.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { DispatchTimeoutError, UnknownMessageTypeError } from "../message/errors.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { Registry } from "../message/registry.ts";
import { cancelStamp } from "../message/cancel-stamp.ts";
import { queueOf } from "../message/lane.ts";
import { checkPayload, DISPATCH_TIMEOUT_MS, toStorableJson } from "../message/payload.ts";
import { checkNames } from "../runtime/option-names.ts";
import { within } from "../runtime/within.ts";
import type { Middleware } from "./middleware.ts";
import { checkAgain, outgoing, ownOptions } from "./outgoing.ts";
import type { Router } from "./router.ts";
import { checkTransportName } from "./routing.ts";

/** Errors that middleware caused; the caller's message is not to blame. */
const ofMiddleware = new WeakSet<object>();

/** Tells whether middleware caused an error of {@link MessagePreparer.prepare}. */
export function isOfMiddleware(error: unknown): boolean {
  return typeof error === "object" && error !== null && ofMiddleware.has(error);
}

/** The transports beside home of a bus without a router. */
const NONE: ReadonlyMap<string, unknown> = new Map();
const NO_OPTIONS: DispatchOptions = Object.freeze({});
const INPUT = ["type", "payload", "options"];

/** Prepares the messages of a bus. It writes nothing. */
export class MessagePreparer {
  /** @param router gives messages their transports; undefined if everything goes home */
  constructor(
    private readonly registry: Registry,
    private readonly router: Router | undefined,
    private readonly middleware: readonly Middleware[],
  ) {}

  /** Checks a message and fills in its definition's values. It is ready at once if nothing asynchronous has to see it. */
  prepare(input: MessageInput): OutgoingMessage | Promise<OutgoingMessage> {
    try {
      checkNames(input, INPUT);
      const { type, payload } = input;
      const definition = this.registry.get(type);
      if (!definition) throw new UnknownMessageTypeError(type);
      const options = input.options === undefined ? NO_OPTIONS : ownOptions(input.options);
      const json = toStorableJson(definition.type, payload, definition.maxPayloadBytes);
      const parsed = checkPayload(definition, json);
      const isReady = !(parsed instanceof Promise) && options.onCancelled === undefined &&
        this.middleware.length === 0;
      return isReady
        ? this.#route(outgoing(definition, json, options, parsed))
        : this.#prepareLater(definition, json, parsed, options);
    } catch (error) {
      // Rejected and not thrown: other messages of the call may have promises, which would reject unseen.
      return Promise.reject(error);
    }
  }

  async #prepareLater(
    definition: MessageDefinition,
    json: unknown,
    parsed: unknown,
    options: DispatchOptions,
  ): Promise<OutgoingMessage> {
    let message = outgoing(
      definition,
      json,
      options,
      parsed instanceof Promise ? await parsed : parsed,
    );
    if (options.onCancelled !== undefined) {
      message = await this.#withCancel(message, options.onCancelled);
    }
    if (this.middleware.length === 0) return this.#route(message);
    let changed: OutgoingMessage;
    try {
      changed = await this.#throughMiddleware(message, options);
    } catch (error) {
      if (typeof error === "object" && error !== null) ofMiddleware.add(error);
      throw error;
    }
    return this.#route(changed);
  }

  /** Gives the message its transport. @throws RangeError if there is none of its name */
  #route(message: OutgoingMessage): OutgoingMessage {
    if (this.router) return this.router.route(message);
    if (message.transport !== undefined) checkTransportName(message.transport, "transport", NONE);
    return message;
  }

  /** Adds the message that a cancel dispatches, as a stamp: a cancel may come from SQL, which has no definitions. */
  async #withCancel(
    message: OutgoingMessage,
    onCancelled: NonNullable<DispatchOptions["onCancelled"]>,
  ): Promise<OutgoingMessage> {
    checkNames(onCancelled, ["type", "payload"], "onCancelled: ");
    return {
      ...message,
      stamps: { ...message.stamps, onCancelled: cancelStamp(await this.prepare(onCancelled)) },
    };
  }

  /** Returns the payload as JSON to store, and as its schema returns it. The worker parses it again for the handler. */
  async #checkPayload(
    definition: MessageDefinition,
    payload: unknown,
  ): Promise<{ readonly json: unknown; readonly parsed: unknown }> {
    const json = toStorableJson(definition.type, payload, definition.maxPayloadBytes);
    const checked = checkPayload(definition, json);
    return { json, parsed: checked instanceof Promise ? await checked : checked };
  }

  /**
   * Passes the message through each middleware. Its results are checked like a dispatch. Middleware that changes the
   * payload and leaves the queue alone changes the lane that the definition finds in the payload.
   */
  async #throughMiddleware(
    given: OutgoingMessage,
    options: DispatchOptions,
  ): Promise<OutgoingMessage> {
    const { type } = given;
    let { queue } = given;
    let message = given;
    for (const [index, middleware] of this.middleware.entries()) {
      if (!middleware.dispatch) continue;
      const late = () =>
        new DispatchTimeoutError(`middleware: ${index + 1}: dispatch`, DISPATCH_TIMEOUT_MS);
      const returned = middleware.dispatch(message);
      message = checkAgain(await within(returned, DISPATCH_TIMEOUT_MS, late));
      const definition = this.registry.get(message.type);
      if (!definition) throw new UnknownMessageTypeError(message.type);
      // The middleware may have changed the payload in place.
      const { json, parsed } = await this.#checkPayload(definition, message.payload);
      message = { ...message, payload: json };
      if (definition.lane && message.type === type && message.queue === queue) {
        queue = queueOf(definition, parsed, options);
        message = { ...message, queue };
      }
    }
    return message;
  }
}
