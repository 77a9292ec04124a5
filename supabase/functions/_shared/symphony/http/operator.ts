/** Identifies an operator: the holder of a secret key, or a user with a role that the settings name. */

import { verify } from "./caller.ts";
import { Problem } from "./problem.ts";

/** A caller who may read, and perhaps change, what the bus holds. */
export interface Operator {
  /** For the action log: a user's id, or `secret key` and the key's name. */
  readonly actor: string;
  /** Whether only reading is allowed. */
  readonly isReadOnly: boolean;
}

/** Names in `app_metadata.role` or `app_metadata.roles` of users; only the project's backend sets these. */
export interface OperatorRoles {
  readonly adminRoles: readonly string[];
  readonly readOnlyRoles: readonly string[];
}

/**
 * Verifies that the caller is an operator. Anonymous users never are.
 * @throws Problem 401 where credentials are missing or wrong, 403 where the user has no such role
 */
export async function authenticateOperator(
  request: Request,
  roles: OperatorRoles,
): Promise<Operator> {
  const data = await verify(request, ["secret:*", "user"]);
  if (data.authMode !== "user") {
    return { actor: `secret key ${data.keyName ?? ""}`.trimEnd(), isReadOnly: false };
  }

  const { userClaims, jwtClaims } = data;
  if (!userClaims?.id) throw new Problem(401, "unauthorized", "The token names no user");
  const own = jwtClaims?.is_anonymous === true ? [] : rolesOf(userClaims.appMetadata);
  const isAdmin = own.some((role) => roles.adminRoles.includes(role));
  if (!isAdmin && !own.some((role) => roles.readOnlyRoles.includes(role))) {
    throw new Problem(403, "forbidden", "No role of this user may use the management API");
  }
  return { actor: userClaims.id, isReadOnly: !isAdmin };
}

function rolesOf(metadata: Readonly<Record<string, unknown>> = {}): string[] {
  const { role, roles } = metadata;
  return [role, ...(Array.isArray(roles) ? roles : [])].filter((name) => typeof name === "string");
}
