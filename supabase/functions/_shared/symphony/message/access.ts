/** Access rules: which callers may dispatch a type over HTTPS. A type is closed unless its definition opens it. */

import { showValue } from "../runtime/inspect.ts";

/** Claims of a user's token, after its signature, issuer, audience and times were verified. */
export interface Claims {
  /** The user's id. */
  sub: string;
  /** Issuer: the project's own Auth. */
  iss?: string;
  aud?: string | string[];
  /** When it expires, in seconds since 1970. */
  exp?: number;
  /** When it was issued, in seconds since 1970. */
  iat?: number;
  /** Role in the database, such as `authenticated`. */
  role?: string;
  email?: string;
  /** Set by the project; a user cannot change it. */
  app_metadata?: Record<string, unknown>;
  /** Set by the user. */
  user_metadata?: Record<string, unknown>;
  /** Further claims, such as those of a hook. */
  [claim: string]: unknown;
}

/** Argument of an access rule. */
export interface AccessRequest<Payload> {
  /** The user's verified claims; null for a caller who has only the publishable key. */
  readonly claims: Claims | null;
  /** The payload as the schema returned it. */
  readonly payload: Payload;
  /** Options that the caller chose; only those that the definition's `callerOptions` allows. */
  readonly options: CallerChoices;
}

/** Options that a caller without a secret key chose for one message. */
export interface CallerChoices {
  /** In ms. */
  readonly delayMs?: number;
  readonly availableAt?: Date;
  readonly queue?: string;
  readonly lane?: string;
  readonly priority?: number;
  /** The caller's own text, before it is made unique to the caller. */
  readonly groupKey?: string;
  /** The caller's own text, before it is made unique to the caller. */
  readonly dedupeKey?: string;
  readonly idempotencyKey?: string;
  /** The schedule in the request, if the dispatch is scheduled. */
  readonly schedule?: Readonly<Record<string, unknown>>;
}

/** Decides on one message. Only `true` allows it. A rule that throws refuses the message and is logged. */
export type AccessRule<Payload> = (
  request: AccessRequest<Payload>,
) => boolean | Promise<boolean>;

/**
 * Callers that may dispatch a type over HTTPS. Holders of a secret key may dispatch every type.
 * `secret`: no others. `authenticated`: signed-in users too, except anonymous ones. `anonymous`: all
 * users, and holders of the publishable key. A function decides for each message.
 */
export type Access<Payload = unknown> =
  | "secret"
  | "authenticated"
  | "anonymous"
  | AccessRule<Payload>;

/**
 * Checks a definition's `access`.
 * @param field name of the option in an error
 * @throws RangeError that names the field
 */
export function checkAccess<Payload>(access: Access<Payload>, field: string): Access<Payload> {
  const known: readonly unknown[] = ["secret", "authenticated", "anonymous"];
  if (known.includes(access) || typeof access === "function") return access;
  throw new RangeError(
    `${field}: has to be 'secret', 'authenticated', 'anonymous' or a function; got ${
      showValue(access)
    }`,
  );
}
