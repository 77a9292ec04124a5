/** Identifies the caller of a function: the holder of a secret key, a user, or the holder of a publishable key. */

import type { AuthModeWithKey, AuthResult } from "@supabase/server";
import { verifyAuth } from "@supabase/server/core";
import type { Claims } from "../message/access.ts";
import type { UserStamp } from "../message/envelope.ts";
import { variable } from "../runtime/environment.ts";
import { Problem } from "./problem.ts";

/** A caller whose credentials were verified. */
export type Caller =
  | { readonly kind: "secret" }
  | { readonly kind: "user"; readonly user: UserStamp; readonly claims: Claims }
  /** Has only the publishable key, which every visitor of a website has. */
  | { readonly kind: "publishable" };

/** Callers who hold no secret key. */
export type Frontend = Exclude<Caller, { readonly kind: "secret" }>;

/** Credentials that a function accepts. If a request has a user's token and a publishable key, the token counts. */
const MODES = {
  "secret": ["secret:*"],
  "secret-or-user": ["secret:*", "user"],
  "any-key": ["secret:*", "user", "publishable:*"],
} satisfies Record<string, AuthModeWithKey[]>;

/**
 * Verifies the caller's credentials.
 * @param modes which credentials are accepted: secret keys, also users' tokens, or also publishable keys
 * @returns the verified caller
 * @throws Problem 401 if credentials are missing or wrong, 500 if the function has no keys to verify them with
 */
export async function authenticate(
  request: Request,
  modes: keyof typeof MODES,
): Promise<Caller> {
  // The key of visitors is accepted too, so that the refusal asks them to sign in.
  const data = await verify(request, MODES[modes === "secret-or-user" ? "any-key" : modes]);
  if (data.authMode === "publishable" && modes === "secret-or-user") {
    throw new Problem(401, "unauthorized", "Sign in: this path is for signed-in users");
  }
  if (data.authMode === "secret" || data.authMode === "publishable") return { kind: data.authMode };

  const claims = data.jwtClaims;
  if (!claims?.sub) throw new Problem(401, "unauthorized", "The token names no user");
  return {
    kind: "user",
    user: { id: claims.sub, isAnonymous: claims.is_anonymous === true },
    claims,
  };
}

/** A caller who is signed in, perhaps anonymously. */
export type UserCaller = Extract<Caller, { readonly kind: "user" }>;

/**
 * Identifies the user of a request for what only users have of their own.
 * @param instead where holders of a secret key find the same for all users, for the refusal
 * @throws Problem 401 without valid credentials, 403 that names `instead` if the caller has a secret key
 */
export async function authenticateUser(request: Request, instead: string): Promise<UserCaller> {
  const caller = await authenticate(request, "secret-or-user");
  if (caller.kind === "user") return caller;
  throw new Problem(
    403,
    "forbidden",
    `This path is for signed-in users and what is their own; with a secret key, use ${instead}`,
  );
}

/**
 * Verifies a request's credentials.
 * @param auth the kinds of credentials that are accepted
 * @returns the mode that matched, and the claims of the token if it is a user's
 * @throws Problem 401 if credentials are missing or wrong, 500 if the function has no keys to verify them with
 */
export async function verify(request: Request, auth: AuthModeWithKey[]): Promise<AuthResult> {
  const { data, error } = await verifyAuth(request, {
    auth,
    ...issuer(),
    audience: "authenticated",
  });
  if (!error) return data;
  const code = error.status === 401 ? "unauthorized" : "misconfigured";
  const message = error.message.replace("[@supabase/server] ", "");
  throw new Problem(error.status === 401 ? 401 : 500, code, message);
}

/**
 * Returns the issuer that tokens must name: this project's own Auth. Behind a custom domain, the issuer
 * differs from the project's URL, and SYMPHONY_JWT_ISSUER holds it.
 */
function issuer(): { issuer?: string } {
  const named = variable("SYMPHONY_JWT_ISSUER");
  if (named) return { issuer: named };
  const url = variable("SUPABASE_PUBLIC_URL") || variable("SUPABASE_URL");
  return url ? { issuer: `${url.replace(/\/$/, "")}/auth/v1` } : {};
}
