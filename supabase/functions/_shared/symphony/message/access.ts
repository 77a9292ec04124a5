/** Access rules: who may dispatch a type over HTTPS. What a definition does not open stays closed. */

import type { JWTClaims } from "@supabase/server";
import { showValue } from "../runtime/inspect.ts";

/** What a user's token says, its signature, issuer, audience and times verified. */
export type Claims = JWTClaims;

/** What an access rule is asked about. */
export interface AccessRequest<Payload> {
  /** The user's verified claims; null for a caller who has only the publishable key. */
  readonly claims: Claims | null;
  /** The payload, as the schema gives it. */
  readonly payload: Payload;
  /** What the caller chose; each is there only where the definition's `callerOptions` allows it. */
  readonly options: CallerChoices;
}

/** What a caller without a secret key chose for one message. */
export interface CallerChoices {
  /** In ms. */
  readonly delayMs?: number;
  readonly availableAt?: Date;
  readonly queue?: string;
  readonly priority?: number;
  /** As the caller gave it, not yet made their own. */
  readonly groupKey?: string;
  readonly idempotencyKey?: string;
  /** When it is to be dispatched, as the request says it. */
  readonly schedule?: Readonly<Record<string, unknown>>;
}

/** Decides on one message. Anything but true refuses it; so does throwing, which is logged. */
export type AccessRule<Payload> = (
  request: AccessRequest<Payload>,
) => boolean | Promise<boolean>;

/**
 * Who may dispatch a type over HTTPS, beside the holders of a secret key, who may everything:
 * `secret`: nobody. `authenticated`: signed-in users, but not those who signed in anonymously.
 * `anonymous`: these too, and whoever has the publishable key. A function decides by itself.
 */
export type Access<Payload = unknown> =
  | "secret"
  | "authenticated"
  | "anonymous"
  | AccessRule<Payload>;

/**
 * Checks a definition's `access`.
 * @param field what the error calls it
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
