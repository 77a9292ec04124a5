/** Who calls a function: the holder of a secret key, or a signed-in user. */

import type { AuthModeWithKey, AuthResult } from "@supabase/server";
import { verifyAuth } from "@supabase/server/core";
import type { UserStamp } from "../envelope.ts";
import { Problem } from "./problem.ts";

/** A caller whose credentials were verified. */
export type Caller =
  | { readonly kind: "secret" }
  | { readonly kind: "user"; readonly user: UserStamp };

/**
 * Verifies the caller's credentials.
 * @param modes what is accepted: any secret key, and signed-in users too if they may come
 * @throws Problem 401 where they are missing or wrong, 500 where the function has no keys
 */
export async function authenticate(
  request: Request,
  modes: "secret" | "secret-or-user",
): Promise<Caller> {
  const data = await verify(request, modes === "secret" ? ["secret:*"] : ["secret:*", "user"]);
  if (data.authMode !== "user") return { kind: "secret" };

  const id = data.userClaims?.id;
  if (!id) throw new Problem(401, "unauthorized", "The token names no user");
  return { kind: "user", user: { id, isAnonymous: data.jwtClaims?.is_anonymous === true } };
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
