/** Faults: the meaning of an error code of PostgREST or Postgres for the caller. */

/**
 * Why a call failed, and what to do:
 * - `passing`: the network, a restart, an overload, a stale schema cache. The same call may pass later.
 * - `too_much`: the call took too long or too much memory. A part of it may pass.
 * - `data`: a value of one message is refused. The other messages pass without it.
 * - `refused`: the whole call is refused: a missing permission, a wrong key.
 */
export type Fault = "passing" | "too_much" | "data" | "refused";

/** A code of PostgREST or Postgres. Proxies use other codes, or none. */
const WRITTEN_BY_POSTGREST = /^(PGRST[0-9A-Z]{3}|[0-9A-Z]{5})$/;

// 57014: cancelled by statement_timeout. 25P04: ended by transaction_timeout. 53200: out of memory.
const TOO_MUCH = /^(57014|25P04|53200)$/;

// 08 connection, 53 resources, 57 operator, 58 system; 40001 and 40P01 serialization and deadlock, 55P03 lock not
// available, 25006 read only, as in a failover, 26000 a pooler that changed the connection, HV00N a foreign server that
// is away. PT502 to PT504: a passing fault that a function reports; ours raise PT503. PGRST000 to 003: no connection;
// PGRST202, 204 and 205: a schema cache that is behind or ahead.
const PASSING =
  /^((08|53|57|58)...|PT50[234]|40001|40P01|55P03|25006|26000|HV00N|PGRST00[0-3]|PGRST20[245])$/;

// An unknown function, table, column, type or cast: a migration is running, if the name is one of ours.
const UNDEFINED = /^(42883|42P01|42703|42704|42846)$/;
const OURS = /\bmessenger[_.]/;
// Postgres keeps the plans of functions by connection; a migration makes them stale once.
const STALE_PLAN = /^cached plan must not change result type/;

// A missing permission, role or catalog, a wrong password, and a setting of the server: these concern the whole call, as
// do refusals of PostgREST itself. Every other code may come from one row, or from a user's trigger on it, which may
// raise any code: 22 data, 23 integrity, 54 limits, P0 raised, XX a value that cannot be read, 45000, PT4xx, PT500.
const REFUSED = /^(42501|(28|3D|0L|0P|F0)...|PGRST...)$/;

/** Tells whether PostgREST wrote a response's error, and not a proxy in front of it. */
export function isWrittenByPostgrest(error: unknown): boolean {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
  return typeof code === "string" && WRITTEN_BY_POSTGREST.test(code);
}

/**
 * Returns the error of a function of the project's own that has raised SQLSTATE PGRST, with a status and a code of its
 * own, under the code that SQLSTATE PTxyz would have had; undefined for any other. PostgREST writes all four fields, a
 * gateway does not.
 * @param status HTTP status of the response
 */
export function raisedWithStatus(error: unknown, status: number): object | undefined {
  const fields = ["code", "message", "details", "hint"];
  const isComplete = typeof error === "object" && error !== null &&
    fields.every((field) => field in error);
  return isComplete && status >= 400 && status <= 599
    ? { ...error, code: `PT${status}` }
    : undefined;
}

/**
 * Returns the fault behind an error.
 * @param error.code of PostgREST or Postgres; any other code is a passing fault of a proxy or the network
 */
export function faultOf(
  { code, message }: { readonly code: string; readonly message: string },
): Fault {
  if (!WRITTEN_BY_POSTGREST.test(code)) return "passing";
  if (TOO_MUCH.test(code)) return "too_much";
  if (PASSING.test(code) || UNDEFINED.test(code) && OURS.test(message)) return "passing";
  if (code === "0A000" && STALE_PLAN.test(message)) return "passing";
  return REFUSED.test(code) ? "refused" : "data";
}
