/** Sends messages to an engine directly, without a row in Postgres. */

import { Buffer } from "node:buffer";
import type { OutgoingMessage } from "../message/envelope.ts";
import { DISPATCH_TIMEOUT_MS } from "../message/payload.ts";
import { readProperty } from "../runtime/inspect.ts";
import { within } from "../runtime/within.ts";
import { writeBody } from "../transport/engine-body.ts";
import type { EngineMessage, EngineSender, Published } from "../transport/engine.ts";
import { type Sender, type Transport, TransportError } from "../transport/transport.ts";
import { ReservedIds } from "./reserved-ids.ts";

/** Publishes to one engine. Of several messages some may be in the engine although the call throws. */
export class DirectSender implements Sender {
  readonly #ids: ReservedIds;
  #origin: Promise<string> | undefined;

  /**
   * @param name of the transport, for errors
   * @param home gives ids, because a retry of the message is a row there
   * @param now the clock, in ms since 1970
   */
  constructor(
    private readonly name: string,
    private readonly engine: EngineSender,
    private readonly home: Pick<Transport, "reserveIds" | "loadSteps">,
    private readonly now: () => number,
  ) {
    this.#ids = new ReservedIds(home);
  }

  /** Whether a message needs nothing of Postgres: no wait, and no key that is looked for. */
  static takes({ delayMs = 0, availableAt, idempotencyKey, dedupeKey }: OutgoingMessage): boolean {
    return delayMs === 0 && availableAt === undefined && idempotencyKey === undefined &&
      dedupeKey === undefined;
  }

  /**
   * Publishes messages, and returns their ids in order once the engine has confirmed all of them.
   * @throws RangeError if one is too large for the engine
   * @throws TransportError if one was not confirmed
   */
  async send(messages: readonly OutgoingMessage[]): Promise<string[]> {
    if (messages.length === 0) return [];
    const taken = messages.map(({ groupKey }) => this.#ids.take(groupKey !== undefined));
    const [origin, ...ids] = await Promise.all([this.#originOf(), ...taken]);
    const published = await this.#publish(
      messages.map((message, index) => this.#toEngine(ids[index] ?? "", origin, message)),
    );
    const failed = published.filter(({ kind }) => kind !== "confirmed");
    if (published.length === messages.length && failed.length === 0) return ids;
    throw this.#errorOf(failed[0], `${failed.length} of ${messages.length} messages`);
  }

  /** The identity of home, asked for once. */
  #originOf(): Promise<string> {
    const asked = this.#origin ??= this.home.loadSteps([]).then(({ installation }) => installation);
    asked.catch(() => this.#origin = undefined);
    return asked;
  }

  async #publish(messages: readonly EngineMessage[]): Promise<readonly Published[]> {
    const signal = AbortSignal.timeout(DISPATCH_TIMEOUT_MS);
    const late = () => new Error("gave no answer in time");
    try {
      return await within(this.engine.publish(messages, signal), DISPATCH_TIMEOUT_MS, late);
    } catch (error) {
      throw this.#failure(textOf(error), true, error);
    }
  }

  #errorOf(failed: Published | undefined, which: string): Error {
    if (!failed || failed.kind === "confirmed") return this.#failure("told too few fates", true);
    const { kind, error } = failed;
    const isUnknown = kind === "unknown";
    const text = `${isUnknown ? "did not confirm" : "refused"} ${which}: ${textOf(error)}`;
    return kind === "refused" && failed.tooLarge
      ? new RangeError(`payload: is too large; ${this.name} ${text}`, { cause: error })
      : this.#failure(text, isUnknown, error);
  }

  #failure(text: string, retryable: boolean, cause?: unknown): TransportError {
    const options = { transport: this.name, cause };
    return new TransportError("send", `${this.name}: ${text}`, retryable, options);
  }

  #toEngine(id: string, origin: string, message: OutgoingMessage): EngineMessage {
    const now = this.now();
    const { type, payload, queue = "default", priority = 0, groupKey = null, ttlMs } = message;
    const body = writeBody({
      origin,
      payload,
      createdAt: new Date(now).toISOString(),
      ...(priority !== 0 && { priority }),
      ...(groupKey !== null && { groupKey }),
      ...(ttlMs !== undefined && { expiresAt: new Date(now + ttlMs).toISOString() }),
      ...(message.stamps && { stamps: message.stamps }),
    });
    const bytes = Buffer.byteLength(body);
    return { id, publication: 1, type, queue, priority, groupKey, body, bytes };
  }
}

function textOf(error: unknown): string {
  return String(readProperty(error, "message") ?? error);
}
