/** Identifies the caller of a function: holder of a secret key, user, or holder of the publishable key. */

import type { AuthModeWithKey, AuthResult } from "@supabase/server";
import { verifyAuth } from "@supabase/server/core";
import type { Claims } from "../message/access.ts";
import type { UserStamp } from "../message/envelope.ts";
import { Problem } from "./problem.ts";

/** A caller whose credentials were verified. */
export type Caller =
  | { readonly kind: "secret" }
  | { readonly kind: "user"; readonly user: UserStamp; readonly claims: Claims }
  /** Has only the publishable key, which every visitor of a website has. */
  | { readonly kind: "publishable" };

/** Callers who hold no secret key. */
export type Frontend = Exclude<Caller, { readonly kind: "secret" }>;

/** Credentials that a function accepts. A user's token counts before the publishable key beside it. */
const MODES = {
  "secret": ["secret:*"],
  "secret-or-user": ["secret:*", "user"],
  "any-key": ["secret:*", "user", "publishable:*"],
} satisfies Record<string, AuthModeWithKey[]>;

/**
 * Verifies the caller's credentials.
 * @param modes what is accepted: any secret key, users as well, the publishable key as well
 * @throws Problem 401 where they are missing or wrong, 500 where the function has no keys
 */
export async function authenticate(
  request: Request,
  modes: keyof typeof MODES,
): Promise<Caller> {
  const data = await verify(request, MODES[modes]);
  if (data.authMode === "secret" || data.authMode === "publishable") return { kind: data.authMode };

  const claims = data.jwtClaims;
  if (!claims?.sub) throw new Problem(401, "unauthorized", "The token names no user");
  return {
    kind: "user",
    user: { id: claims.sub, isAnonymous: claims.is_anonymous === true },
    claims,
  };
}

/**
 * Verifies credentials, and answers what they say.
 * @param auth what is accepted
 * @throws Problem 401 where they are missing or wrong, 500 where the function has no keys
 */
export async function verify(request: Request, auth: AuthModeWithKey[]): Promise<AuthResult> {
  const { data, error } = await verifyAuth(request, {
    auth,
    ...issuer(),
    audience: "authenticated",
  });
  if (!error) return data;
  const code = error.status === 401 ? "unauthorized" : "misconfigured";
  throw new Problem(error.status === 401 ? 401 : 500, code, error.message);
}

/**
 * Tokens have to come from this project's own Auth. Behind a custom domain its name differs from the
 * project's URL; SYMPHONY_JWT_ISSUER says it then.
 */
function issuer(): { issuer?: string } {
  const named = Deno.env.get("SYMPHONY_JWT_ISSUER");
  if (named) return { issuer: named };
  const url = Deno.env.get("SUPABASE_PUBLIC_URL") || Deno.env.get("SUPABASE_URL");
  return url ? { issuer: `${url.replace(/\/$/, "")}/auth/v1` } : {};
}
