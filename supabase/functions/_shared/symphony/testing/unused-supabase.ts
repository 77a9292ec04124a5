/** Stands in for the Supabase client of a test that gives none. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { UnrecoverableError } from "../message/errors.ts";

/**
 * A client without a project behind it.
 * @returns a client whose every use throws an UnrecoverableError that says what to give instead: a
 * handler that needs the client fails at once, without retries
 */
export function unusedSupabase(): SupabaseClient {
  return new Proxy({} as SupabaseClient, {
    get(_, name) {
      // Runtimes look for these when they await or print a value.
      if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
      throw new UnrecoverableError(
        `supabase: ${name} was used, but this test has no client; ` +
          "give createTestMessenger({ supabase }) a client or a fake of it",
      );
    },
  });
}
