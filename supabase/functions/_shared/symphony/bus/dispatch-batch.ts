/** Dispatches a batch: prepares its messages, and writes them in numbered chunks. */

import { createHash } from "node:crypto";
import type { DispatchOptions, MessageInput } from "../message/dispatch-options.ts";
import {
  type BatchHead,
  type BatchMember,
  type DispatchBatchOptions,
  MAX_CHUNK_MESSAGES,
  type WrittenBatch,
} from "../message/dispatched-batch.ts";
import { typeOf } from "../message/definition-lists.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import { checkKey } from "../runtime/checks.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import { type Transport, TransportError } from "../transport/transport.ts";

/** Largest size of one chunk, in characters of its payloads' JSON; one message is written in any case. */
const MAX_CHUNK_CHARACTERS = 4_000_000;
/** Pauses before a chunk is repeated whose call failed, in ms: chunks are idempotent. */
const PAUSES_MS = [100, 500, 2_000];

const EVENTS = ["onFinished", "onSucceeded", "onFailed"] as const;
const OPTIONS = ["name", "idempotencyKey", ...EVENTS];
const EVENT_OPTIONS = ["delay", "queue", "priority", "ttl", "groupKey", "stamps"];

/** Checks a message and fills in its definition's values. */
type Prepare = (input: MessageInput) => Promise<OutgoingMessage>;

/** Options that only the library gives. */
export type InternalBatchOptions = Pick<
  BatchHead,
  "idempotencyScope" | "userId" | "live" | "parentId" | "keepsResults"
>;

/**
 * Checks that the messages of a batch can be read one after the other.
 * @param prefix text before the word "messages" in the error
 * @throws RangeError if they cannot
 */
export function checkMembers(members: unknown, prefix = ""): void {
  const isIterable = (key: symbol) => typeof readProperty(members, key) === "function";
  if (isIterable(Symbol.iterator) || isIterable(Symbol.asyncIterator)) return;
  throw new RangeError(
    `${prefix}messages: have to be an array, or another iterable; got ${showValue(members)}`,
  );
}

/** A message by its type's name. @throws RangeError if a member has neither a type nor a definition */
export function toInput(member: BatchMember, field = "messages"): MessageInput {
  if (typeof member !== "object" || member === null) {
    throw new RangeError(
      `${field}: have to be objects with a type or a definition; got ${showValue(member)}`,
    );
  }
  if (!("definition" in member)) return member;
  const { definition, ...rest } = member;
  if ("type" in rest) throw new RangeError(`${field}: give either type or definition, not both`);
  checkNames(rest, ["payload", "options"], `${field}: `);
  return { ...rest, type: typeOf(definition, `${field}: definition`) };
}

/**
 * Checks the options of a batch and the messages of its events.
 * @throws RangeError that names the wrong option, and the errors of `prepare`
 */
export async function prepareHead(
  options: DispatchBatchOptions,
  prepare: Prepare,
  more: InternalBatchOptions = {},
): Promise<BatchHead> {
  checkNames(options, OPTIONS);
  const { name, idempotencyKey } = options;
  checkKey(name, "name");
  if (idempotencyKey !== undefined) checkKey(idempotencyKey, "idempotencyKey");
  const events: [string, OutgoingMessage][] = [];
  for (const event of EVENTS) {
    const member = options[event];
    if (member === undefined) continue;
    const input = toInput(member, event);
    checkEventOptions(input.options, event);
    events.push([event, await prepare(input)]);
  }
  return {
    name,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...more,
    ...Object.fromEntries(events),
  };
}

function checkEventOptions(options: DispatchOptions | undefined, event: string): void {
  if (options !== undefined) checkNames(options, EVENT_OPTIONS, `${event}: `);
}

/**
 * Writes the messages in chunks, as they come, and seals the batch with the last one.
 * @returns the batch
 * @throws the errors of `prepare` and of the iterable; the batch is then not sealed, and a call with its key
 * continues it
 * @throws ConflictError if the key stands for other content, or the batch is cancelled
 * @throws TransportError if a chunk could not be written
 */
export async function writeChunks(
  members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
  given: BatchHead,
  { prepare, transport }: {
    readonly prepare: Prepare;
    readonly transport: Pick<Transport, "writeBatch">;
  },
): Promise<WrittenBatch> {
  // Further chunks find the batch by its key.
  const head = given.idempotencyKey === undefined ? { ...given, ...keyOf(members, given) } : given;
  let chunk = 1;
  let messages: OutgoingMessage[] = [];
  let characters = 0;
  let before = 0;
  const write = (isLast: boolean) =>
    repeating(() => transport.writeBatch({ head, messages, chunk, isLast })).catch((error) => {
      throw placed(error, before);
    });
  for await (const member of members) {
    const message = await prepare(toInput(member));
    const length = JSON.stringify(message.payload)?.length ?? 0;
    const isFull = messages.length === MAX_CHUNK_MESSAGES ||
      messages.length > 0 && characters + length > MAX_CHUNK_CHARACTERS;
    if (isFull) {
      await write(false);
      chunk++;
      before += messages.length;
      messages = [];
      characters = 0;
    }
    messages.push(message);
    characters += length;
  }
  return await write(true);
}

/** A conflict of one member, with its position in the batch in place of that in its chunk. */
function placed(error: unknown, before: number): unknown {
  if (!(error instanceof ConflictError) || error.index === undefined || before === 0) return error;
  return new ConflictError(error.message, { cause: error }, error.index + before);
}

/**
 * The key of a batch whose caller gave none. An array of several chunks has one made of its content: if the process
 * is killed before the last chunk, the same call continues the batch.
 */
function keyOf(
  members: Iterable<BatchMember> | AsyncIterable<BatchMember>,
  { onFinished, onSucceeded, onFailed, ...head }: BatchHead,
): Pick<BatchHead, "idempotencyKey" | "call"> {
  const call = crypto.randomUUID();
  const once = { idempotencyKey: `once:${call}` };
  if (!Array.isArray(members) || members.length <= MAX_CHUNK_MESSAGES) return once;
  const hash = createHash("sha256");
  try {
    hash.update(JSON.stringify([head, onFinished, onSucceeded, onFailed]));
    for (const member of members) hash.update(JSON.stringify([toInput(member)]));
  } catch {
    // A payload that is no JSON is refused when it is prepared.
    return once;
  }
  return { idempotencyKey: `content:${hash.digest("hex")}`, call };
}

/** Repeats a call that failed for a passing reason: a chunk that was written after all is not written again. */
async function repeating<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof TransportError && error.retryable)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return await call();
}
