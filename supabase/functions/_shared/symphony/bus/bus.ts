/** The bus: checks messages, passes them through middleware, and gives them to the transport. */

import { z } from "zod";
import type { DispatchOptions, MessageInput } from "../message/dispatch-options.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { DispatchTimeoutError, UnknownMessageTypeError } from "../message/errors.ts";
import type { HandlerContext, MessageType } from "../message/handler.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { Registry } from "../message/registry.ts";
import type {
  BatchChunk,
  BatchHead,
  BatchMember,
  BatchResults,
  DispatchBatchOptions,
  WrittenBatch,
} from "../message/dispatched-batch.ts";
import { cancelStamp } from "../message/cancel-stamp.ts";
import {
  checkMembers,
  type InternalBatchOptions,
  prepareHead,
  writeChunks,
} from "./dispatch-batch.ts";
import { Events } from "./events.ts";
import { queueOf } from "../message/lane.ts";
import { typeOf } from "../message/definition-lists.ts";
import { limitsOf } from "./limits.ts";
import { aroundHandlers, checkMiddlewares, type Middleware } from "./middleware.ts";
import { checkNames } from "../runtime/option-names.ts";
import { checkAgain, outgoing, ownOptions } from "./outgoing.ts";
import type { Router } from "./router.ts";
import { checkTransportName } from "./routing.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { checkPayload, DISPATCH_TIMEOUT_MS, toStorableJson } from "../message/payload.ts";
import type { Sender, Transport } from "../transport/transport.ts";
import { showValue } from "../runtime/inspect.ts";
import { within } from "../runtime/within.ts";
import type { AttemptSpan } from "../tracing/attempt-span.ts";
import { sending } from "../tracing/spans.ts";

/** Errors that middleware caused; the caller's message is not to blame. */
const ofMiddleware = new WeakSet<object>();

/** Tells whether middleware caused an error of {@link MessageBus.prepare}. */
export function isOfMiddleware(error: unknown): boolean {
  return typeof error === "object" && error !== null && ofMiddleware.has(error);
}

/** The transports beside home of a bus without a router. */
const NONE: ReadonlyMap<string, unknown> = new Map();
const NO_OPTIONS: DispatchOptions = Object.freeze({});
const INPUT = ["type", "payload", "options"];

/** Dispatches messages, and runs handlers inside the middleware. */
export class MessageBus {
  readonly registry: Registry;
  /** Emits events, and makes their tokens. */
  readonly events: Events;
  readonly #transport: Transport;
  /** Undefined if everything goes home. */
  readonly #router: Router | undefined;
  readonly #sender: Sender;
  readonly #middleware: readonly Middleware[];
  /** Middleware with a `handle` method. */
  readonly #around: readonly Middleware[];

  /** @throws RangeError if an entry of `middleware` has the wrong shape */
  constructor(options: {
    readonly registry: Registry;
    readonly transport: Transport;
    /** Gives messages their transports; by default everything goes home, which is `transport`. */
    readonly router?: Router | undefined;
    readonly middleware?: readonly Middleware[];
    /** By default there are no declared events, and no secret that signs tokens. */
    readonly events?: Events;
  }) {
    checkNames(options, ["registry", "transport", "router", "middleware", "events"]);
    this.registry = options.registry;
    this.events = options.events ?? new Events({ transport: options.transport });
    this.#transport = options.transport;
    this.#router = options.router;
    this.#sender = options.router ?? options.transport;
    this.#middleware = checkMiddlewares(options.middleware);
    this.#around = this.#middleware.filter(({ handle }) => handle !== undefined);
  }

  /**
   * Dispatches one message and returns its id.
   * @throws InvalidPayloadError if the schema refuses the payload
   * @throws RangeError that names the wrong option
   * @throws TransportError if the message could not be written
   */
  readonly dispatch = async <Schema extends z.ZodType>(
    definition: MessageType<Schema>,
    payload: z.input<Schema>,
    options: DispatchOptions = {},
  ): Promise<string> => {
    const [id] = await this.dispatchAll([{ type: typeOf(definition), payload, options }]);
    return String(id);
  };

  /**
   * Dispatches messages, all or none, and returns their ids in order.
   * @throws the errors of {@link dispatch}, and UnknownMessageTypeError
   */
  async dispatchAll(messages: readonly MessageInput[]): Promise<string[]> {
    if (!Array.isArray(messages)) {
      throw new RangeError(`messages: have to be an array; got ${showValue(messages)}`);
    }
    return this.send(await Promise.all(messages.map((message) => this.prepare(message))));
  }

  /**
   * Dispatches a batch: its messages are written in chunks, and what it dispatches at its end is told once. The
   * members are taken one after the other, so that an async iterable may read them from a file or a cursor.
   *
   * ```ts
   * const id = await bus.dispatchBatch(
   *   rows.map((row) => ({ definition: ImportRow, payload: row })),
   *   { name: "import", idempotencyKey: `import:${file}`, onFinished: { type: "Report", payload: { file } } },
   * );
   * ```
   *
   * @returns the batch's id
   * @throws RangeError that names the wrong option; nothing is written then
   * @throws the errors of {@link dispatch} for a member, and those of the iterable. Chunks before it are written;
   * the batch is not sealed, and a call with the same idempotencyKey continues it
   * @throws ConflictError if the idempotencyKey stands for other content, or the batch is cancelled
   */
  async dispatchBatch(
    members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
    options: DispatchBatchOptions,
    internal: InternalBatchOptions & { readonly span?: AttemptSpan | undefined } = {},
  ): Promise<string> {
    const { span, ...more } = internal;
    const prepare = (input: MessageInput) => this.prepare(input);
    checkMembers(members);
    const head = await prepareHead(options, prepare, more);
    const transport = {
      writeBatch: ({ messages, ...chunk }: BatchChunk) =>
        this.#writeBatch({ ...chunk, messages: span?.adoptAll(messages) ?? messages }),
    };
    return (await writeChunks(members, head, { prepare, transport })).id;
  }

  /** Checks a batch's options and fills in the messages of its events. It writes nothing. */
  prepareBatch(options: DispatchBatchOptions, internal?: InternalBatchOptions): Promise<BatchHead> {
    return prepareHead(options, (input) => this.prepare(input), internal);
  }

  /**
   * Writes one chunk of a batch, whose messages {@link prepare} has made.
   * @param caller whose rate limits count them: `user:<id>` or `publishable`. Without it, none does
   * @throws the errors of {@link send}, and ConflictError
   */
  async writeBatch(chunk: BatchChunk, caller?: string): Promise<WrittenBatch> {
    const limits = caller === undefined ? [] : limitsOf(chunk.messages, caller, this.registry);
    return await this.#writeBatch(chunk, limits);
  }

  /** @throws RangeError if a member goes to another project, so that the batch would never end */
  async #writeBatch(
    chunk: BatchChunk,
    limits: readonly LimitedDispatch[] = [],
  ): Promise<WrittenBatch> {
    const gone = chunk.messages.find(({ transport }) => this.#router?.isElsewhere(transport));
    if (!gone) {
      return await sending(
        chunk.messages,
        (messages) => this.#transport.writeBatch({ ...chunk, messages }, limits),
      );
    }
    throw new RangeError(
      `messages: ${gone.type} goes to ${gone.transport}, where another project handles it; a batch counts only what is handled here`,
    );
  }

  /**
   * Writes messages that {@link prepare} has made, all or none, and returns their ids in order.
   * @param caller whose rate limits count them: `user:<id>` or `publishable`. Without it, none does
   * @throws RateLimitedError if a limit is reached
   * @throws RangeError if there are more messages of a type than its limit ever lets through at once
   * @throws TransportError if they could not be written
   */
  async send(prepared: readonly OutgoingMessage[], caller?: string): Promise<string[]> {
    return await sending(
      prepared,
      (messages) =>
        caller === undefined
          ? this.#sender.send(messages)
          : this.#sender.send(messages, limitsOf(messages, caller, this.registry)),
    );
  }

  /** Checks a message and fills in its definition's values. It writes nothing. */
  async prepare(input: MessageInput): Promise<OutgoingMessage> {
    checkNames(input, INPUT);
    const { type, payload } = input;
    const definition = this.registry.get(type);
    if (!definition) throw new UnknownMessageTypeError(type);
    const options = input.options === undefined ? NO_OPTIONS : ownOptions(input.options);
    const { json, parsed } = await this.#checkPayload(definition, payload);
    let message = outgoing(definition, json, options, parsed);
    if (options.onCancelled !== undefined) {
      message = await this.#withCancel(message, options.onCancelled);
    }
    if (this.#middleware.length === 0) return this.#route(message);
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
    if (this.#router) return this.#router.route(message);
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
    for (const [index, middleware] of this.#middleware.entries()) {
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

  /** Returns the fates of the members of a finished batch. @throws the errors of {@link Transport.batchResults} */
  batchResults(id: string): Promise<BatchResults> {
    return this.#transport.batchResults(id);
  }

  /** Whether any middleware has a `handle` method. */
  get standsAround(): boolean {
    return this.#around.length > 0;
  }

  /**
   * Runs `handlers` inside the middleware; the first middleware is the outermost.
   * @throws MiddlewareError if middleware calls `next` twice, or does not wait for it
   */
  handle(ctx: HandlerContext, handlers: () => Promise<void>): Promise<void> {
    return this.#around.length === 0 ? handlers() : aroundHandlers(this.#around, ctx, handlers);
  }
}
