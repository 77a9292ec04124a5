/** Identifies an operator: the holder of a secret key, or a user with a role that the settings name. */

import { verify } from "./caller.ts";
import { Problem } from "./problem.ts";

/** A caller who may read the bus's state, and change it unless `isReadOnly`. */
export interface Operator {
  /** The name in the action log: a user's id, or `secret key` followed by the key's name. */
  readonly actor: string;
  /** Whether the operator may only read. */
  readonly isReadOnly: boolean;
  /** Whether the operator holds a secret key, and is no user. */
  readonly hasSecretKey: boolean;
}

/**
 * Role names that make a user an operator. They stand in the user's `app_metadata.role` or
 * `app_metadata.roles`, which only the project's backend can set.
 */
export interface OperatorRoles {
  readonly adminRoles: readonly string[];
  readonly readOnlyRoles: readonly string[];
}

/**
 * Verifies that the caller is an operator. An anonymous user is never an operator.
 * @throws Problem 401 if credentials are missing or wrong, 403 if the user has none of the roles
 */
export async function authenticateOperator(
  request: Request,
  roles: OperatorRoles,
): Promise<Operator> {
  const data = await verify(request, ["secret:*", "user"]);
  if (data.authMode !== "user") {
    const actor = `secret key ${data.keyName ?? ""}`.trimEnd();
    return { actor, isReadOnly: false, hasSecretKey: true };
  }

  const { userClaims, jwtClaims } = data;
  if (!userClaims?.id) throw new Problem(401, "unauthorized", "The token names no user");
  const own = jwtClaims?.is_anonymous === true ? [] : rolesOf(userClaims.appMetadata);
  const isAdmin = own.some((role) => roles.adminRoles.includes(role));
  if (!isAdmin && !own.some((role) => roles.readOnlyRoles.includes(role))) {
    throw new Problem(403, "forbidden", "No role of this user may use the management API");
  }
  return { actor: userClaims.id, isReadOnly: !isAdmin, hasSecretKey: false };
}

function rolesOf(metadata: Readonly<Record<string, unknown>> = {}): string[] {
  const { role, roles } = metadata;
  return [role, ...(Array.isArray(roles) ? roles : [])].filter((name) => typeof name === "string");
}
