/** The bus: checks messages, passes them through middleware, and gives them to the transport. */

import { z } from "zod";
import type { DispatchOptions, MessageInput } from "../message/dispatch-options.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import type { HandlerContext, MessageType } from "../message/handler.ts";
import type { Registry } from "../message/registry.ts";
import type {
  BatchChunk,
  BatchHead,
  BatchMember,
  BatchResults,
  DispatchBatchOptions,
  WrittenBatch,
} from "../message/dispatched-batch.ts";
import {
  checkMembers,
  type InternalBatchOptions,
  prepareHead,
  writeChunks,
} from "./dispatch-batch.ts";
import { Events } from "./events.ts";
import { typeOf } from "../message/definition-lists.ts";
import { limitsOf } from "./limits.ts";
import { aroundHandlers, checkMiddlewares, type Middleware } from "./middleware.ts";
import { checkNames } from "../runtime/option-names.ts";
import { MessagePreparer } from "./message-preparer.ts";
import type { Router } from "./router.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { Sender, Transport } from "../transport/transport.ts";
import { showValue } from "../runtime/inspect.ts";
import type { AttemptSpan } from "../tracing/attempt-span.ts";
import { sending } from "../tracing/spans.ts";

function isReady(message: OutgoingMessage | Promise<OutgoingMessage>): message is OutgoingMessage {
  return !(message instanceof Promise);
}

/** Dispatches messages, and runs handlers inside the middleware. */
export class MessageBus {
  readonly registry: Registry;
  /** Emits events, and makes their tokens. */
  readonly events: Events;
  readonly #transport: Transport;
  /** Undefined if everything goes home. */
  readonly #router: Router | undefined;
  readonly #sender: Sender;
  readonly #preparer: MessagePreparer;
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
    const middleware = checkMiddlewares(options.middleware);
    this.#preparer = new MessagePreparer(options.registry, options.router, middleware);
    this.#around = middleware.filter(({ handle }) => handle !== undefined);
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
    const prepared = Array.from(messages, (message) => this.#preparer.prepare(message));
    // To wait for each message would cost a sixth of the bus's time.
    return this.send(prepared.every(isReady) ? prepared : await Promise.all(prepared));
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
    return await this.#preparer.prepare(input);
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
