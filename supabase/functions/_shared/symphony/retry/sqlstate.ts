/** Signs of an error code of Postgres (SQLSTATE) or PostgREST about a retry. */

import { isRetryableStatus } from "./http.ts";

// Postgres, appendix A: 08 connection, 53 resources, 40001 and 40P01 serialization and deadlock,
// 55P03 lock not available, 57014 cancelled by a timeout, 57P01-03 shutting down or starting up.
// PostgREST: PGRST000-003 have no connection, no schema cache or no free connection in the pool.
const TRANSIENT = /^(08[0-9A-Z]{3}|53[0-9A-Z]{3}|40001|40P01|55P03|57014|57P0[123]|PGRST00[0-3])$/;

// An unknown column, function, table or relation. Right after a deploy the schema cache is stale, or a
// migration has not run yet. Both pass.
const UNKNOWN_NAME = /^(42703|42883|42P01|42704|PGRST20[0245])$/;

// 22 data, 23 integrity, 42 syntax, names and access rights. PGRST1xx a bad request, PGRST2xx a name
// that the schema lacks, PGRST301-303 a refused JWT (HTTP 401).
const PERMANENT = /^((22|23|42)[0-9A-Z]{3}|PGRST[12][0-9]{2}|PGRST30[123])$/;

/**
 * Tells whether a retry can help after an error with this code. A PTxyz code stands for the HTTP status
 * xyz, as in PostgREST.
 * @returns undefined for a code that gives no sign
 */
export function isRetryableSqlCode(code: unknown): boolean | undefined {
  if (typeof code !== "string") return undefined;
  if (TRANSIENT.test(code) || UNKNOWN_NAME.test(code)) return true;
  if (PERMANENT.test(code)) return false;
  const status = /^PT([0-9]{3})$/.exec(code)?.[1];
  return status === undefined ? undefined : isRetryableStatus(Number(status));
}
