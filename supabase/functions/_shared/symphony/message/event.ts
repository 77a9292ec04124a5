/** Events that a project declares: what messages wait for, and who may emit them over HTTPS. */

import type { z } from "zod";
import { checkPlainFunction } from "../runtime/checks.ts";
import { readProperty } from "../runtime/inspect.ts";
import { checkIsOptions, checkNames } from "../runtime/option-names.ts";
import { type Access, checkAccess, type Claims } from "./access.ts";
import { checkDefinitions } from "./definition-lists.ts";
import { checkName } from "./names.ts";
import { type CheckedRateLimit, parseRateLimit, type RateLimit } from "./rate-limit.ts";

/** Argument of an event's access rule. */
export interface EventRequest<Value> {
  /** The user's verified claims; null for a caller who has only the publishable key. */
  readonly claims: Claims | null;
  /** The part of the event's key behind the name and its colon, `42` of `approved:42`; null if there is none. */
  readonly key: string | null;
  /** The value as the schema returned it. */
  readonly value: Value;
}

/** Decides on one emit. Only `true` allows it. A rule that throws refuses the emit and is logged. */
export type EventAccessRule<Value> = (request: EventRequest<Value>) => boolean | Promise<boolean>;

/**
 * Callers that may emit an event over HTTPS. Holders of a secret key may emit every declared event.
 * `secret`: no others. `authenticated`: signed-in users too, except anonymous ones. `anonymous`: all users, and
 * holders of the publishable key. A function decides for each emit.
 */
export type EventAccess<Value = unknown> =
  | "secret"
  | "authenticated"
  | "anonymous"
  | EventAccessRule<Value>;

/** Options of {@link defineEvent}. */
export interface EventOptions<Schema extends z.ZodType> {
  /** Unique name: letters, digits and `_ . -`. Keys of the event are the name, or the name, `:` and a key. */
  readonly name: string;
  /** Checks the value when the event is emitted in code or over HTTPS; SQL emits unchecked. */
  readonly schema: Schema;
  /** Callers that may emit it over HTTPS; default: secret keys only. */
  readonly access?: EventAccess<z.output<Schema>>;
  /** How often it may be emitted over HTTPS, all of its keys together; default: without limit. */
  readonly rateLimit?: RateLimit;
}

/** A checked declaration of an event. */
export interface EventDefinition<
  Schema extends z.ZodType = z.ZodType,
  Name extends string = string,
> {
  readonly name: Name;
  readonly schema: Schema;
  readonly access: EventAccess;
  readonly rateLimit: CheckedRateLimit | null;
}

/** The declared events of a project by name. */
export type EventRegistry = ReadonlyMap<string, EventDefinition>;

/** Beginning of the keys that the bus uses itself. */
const RESERVED = "messenger.";

/**
 * Declares an event, so that its values are checked, and that it may be emitted over HTTPS.
 *
 * ```ts
 * export const Approved = defineEvent({
 *   name: "approved",
 *   schema: z.object({ ok: z.boolean() }),
 *   access: ({ claims, key }) => claims?.app_metadata?.approves === key,
 * });
 * ```
 *
 * @throws RangeError that names the wrong option
 */
export function defineEvent<Schema extends z.ZodType, Name extends string>(
  options: EventOptions<Schema> & { readonly name: Name },
): EventDefinition<Schema, Name> {
  checkIsOptions(options, "defineEvent: ");
  const { name, schema, access = "secret" } = options;
  if (checkName(name, "event: name", 100).includes(":")) {
    throw new RangeError(`${name}: name: has to have no colon, which begins the key`);
  }
  checkReserved(name, `${name}: name`);
  checkNames(options, ["name", "schema", "access", "rateLimit"], `${name}: `);
  if (typeof schema?.safeParse !== "function" || !("_zod" in schema)) {
    throw new RangeError(`${name}: schema: has to be a zod schema, of zod 4`);
  }
  checkPlainFunction(access, `${name}: access`);
  checkAccess(access as Access, `${name}: access`);
  // The rule is called only with values that this definition's schema returned, so the cast is safe.
  const rateLimit = options.rateLimit === undefined
    ? null
    : parseRateLimit(options.rateLimit, `${name}: rateLimit`);
  return Object.freeze({ name, schema, access: access as EventAccess, rateLimit });
}

/** Options that were not given to defineEvent may lack the access rule. */
function isDeclaration(one: unknown): boolean {
  return typeof readProperty(one, "name") === "string" &&
    readProperty(one, "schema") !== undefined && readProperty(one, "access") !== undefined;
}

/**
 * Makes the registry of a project's events.
 * @throws RangeError if an entry is no definition, or if two definitions have one name
 */
export function createEventRegistry(events: readonly EventDefinition[]): EventRegistry {
  const registry = new Map<string, EventDefinition>();
  checkDefinitions(events, "events", isDeclaration, "defineEvent");
  for (const definition of events) {
    if (registry.has(definition.name)) {
      throw new RangeError(`events: two definitions have the name ${definition.name}`);
    }
    registry.set(definition.name, definition);
  }
  return registry;
}

/** Splits an event's key into the event's name and the part behind the colon; null if there is none. */
export function partsOf(event: string): { readonly name: string; readonly key: string | null } {
  const colon = event.indexOf(":");
  if (colon < 0) return { name: event, key: null };
  return { name: event.slice(0, colon), key: event.slice(colon + 1) };
}

/**
 * Refuses a key that the bus uses itself.
 * @param field name of the option in an error
 * @throws RangeError that names the field
 */
export function checkReserved(event: string, field: string): void {
  if (!event.startsWith(RESERVED)) return;
  throw new RangeError(
    `${field}: may not begin with ${RESERVED}, which is for the bus itself (was ${
      JSON.stringify(event.slice(0, 60))
    })`,
  );
}
