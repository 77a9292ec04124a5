/** Emits events: checks them by their declarations, gives them to the transport, and makes and takes their tokens. */

import {
  checkReserved,
  createEventRegistry,
  type EventDefinition,
  type EventRegistry,
  partsOf,
} from "../message/event.ts";
import {
  type EventToken,
  readToken,
  signToken,
  type TokenOptions,
} from "../message/event-token.ts";
import { InvalidPayloadError } from "../message/errors.ts";
import { checkPayload, toStorableJson } from "../message/payload.ts";
import { checkKey, checkMoment } from "../runtime/checks.ts";
import { parseDuration } from "../runtime/duration.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { Transport } from "../transport/transport.ts";
import { limitsOfEmit } from "./limits.ts";

/** Largest value of an event, in bytes of JSON in UTF-8. Postgres writes the same value with more spaces. */
export const MAX_EVENT_BYTES = 256_000;
/** Longest life of a token, longest wait for an event and longest sleep, in ms: 400 days. */
export const LONGEST_WAIT_MS = 400 * 86_400_000;

/** An event that has passed its checks. */
export interface PreparedEvent {
  readonly event: string;
  /** JSON; null if the event tells nothing. */
  readonly value: unknown;
}

/** Parts of {@link Events}. */
export interface EventsOptions {
  readonly transport: Pick<Transport, "emit">;
  readonly events?: readonly EventDefinition[];
  /** Secret keys of the project, which sign tokens: the first one signs, all of them are taken. */
  readonly secrets?: readonly string[];
  /** The clock of tokens. */
  readonly now?: () => Date;
}

/** The events of a project. */
export class Events {
  readonly registry: EventRegistry;
  readonly #transport: Pick<Transport, "emit">;
  readonly #secrets: readonly string[];
  readonly #now: () => Date;

  /** @throws RangeError if two events have one name */
  constructor({ transport, events = [], secrets = [], now = () => new Date() }: EventsOptions) {
    this.registry = createEventRegistry(events);
    this.#transport = transport;
    this.#secrets = secrets;
    this.#now = now;
  }

  /** Returns the declaration that a key belongs to; undefined if its name is not declared. */
  definitionOf(event: string): EventDefinition | undefined {
    return this.registry.get(partsOf(event).name);
  }

  /**
   * Checks an event, and its value by the declaration if there is one. It writes nothing.
   * @throws RangeError if the key is none that a project may emit
   * @throws InvalidPayloadError if the value cannot be stored, is too large, or does not fit the schema
   */
  async prepare(event: string, value?: unknown): Promise<PreparedEvent> {
    checkReserved(checkKey(event, "event"), "event");
    try {
      const json = toStorableJson(event, value === undefined ? null : value, MAX_EVENT_BYTES);
      const definition = this.definitionOf(event);
      if (definition) await checkPayload({ type: event, schema: definition.schema }, json);
      return { event, value: json };
    } catch (error) {
      if (!(error instanceof InvalidPayloadError)) throw error;
      throw new InvalidPayloadError(event, error.issues, { cause: error.cause, part: "value" });
    }
  }

  /**
   * Emits an event at once, and returns its id. Its messages are woken.
   * @param caller `user:<id>` or `publishable`: the emit counts against the event's rate limits
   * @throws the errors of {@link prepare}
   * @throws RateLimitedError if a limit is reached
   * @throws TransportError if it could not be written
   */
  async emit(event: string, value?: unknown, caller?: string): Promise<string> {
    const prepared = await this.prepare(event, value);
    const definition = this.definitionOf(event);
    const limits = definition && caller !== undefined ? limitsOfEmit(definition, caller) : [];
    return await (limits.length === 0
      ? this.#transport.emit(prepared.event, prepared.value)
      : this.#transport.emit(prepared.event, prepared.value, undefined, limits));
  }

  /**
   * Makes a token with which its holder may emit an event, once.
   * @param messageId the message whose handler makes it
   * @throws RangeError if the key or the time is wrong
   * @throws Error if no secret key is there
   */
  token(event: string, options: TokenOptions, messageId: string): string {
    checkReserved(checkKey(event, "event"), "event");
    checkNames(options, ["expires"]);
    const now = this.#now().getTime();
    const { expires } = options;
    const expiresAt = expires instanceof Date
      ? checkMoment(expires, "expires")
      : now + parseDuration(expires, "expires", LONGEST_WAIT_MS);
    if (expiresAt <= now || expiresAt > now + LONGEST_WAIT_MS) {
      throw new RangeError("expires: has to lie ahead, at most 400 days");
    }
    const [secret] = this.#secrets;
    if (secret === undefined) {
      throw new Error("token: there is no secret key to sign it with (SUPABASE_SECRET_KEYS)");
    }
    return signToken({ event, messageId, expiresAt, tokenId: crypto.randomUUID() }, secret);
  }

  /** Reads a token. @returns null if it is forged; `isExpired` if its time is over */
  read(token: string): EventToken & { readonly isExpired: boolean } | null {
    const content = readToken(token, this.#secrets);
    return content && { ...content, isExpired: content.expiresAt <= this.#now().getTime() };
  }

  /**
   * Emits the event of a token that was read.
   * @throws ConflictError if the token was used
   * @throws the errors of {@link emit}
   */
  async redeem({ event, tokenId, expiresAt }: EventToken, value?: unknown): Promise<string> {
    const prepared = await this.prepare(event, value);
    const token = { id: tokenId, expiresAt: new Date(expiresAt) };
    return await this.#transport.emit(prepared.event, prepared.value, token);
  }
}
