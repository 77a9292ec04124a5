/** Syncs the routes of the code with the database's: SQL dispatches, schedules and redrives read them there. */

import {
  type DeclaredRouting,
  declareRouting,
  isSameRouting,
} from "../../database/declared-routing.ts";
import type { Messenger } from "../../messenger.ts";

/**
 * Compares the database's routes with those of the code, and writes the latter if they differ. Never throws.
 * @returns whether it wrote: messages may wait for a transport that the database did not know
 */
export type SyncRouting = (stored: DeclaredRouting | null) => Promise<boolean>;

/** Makes the sync of a messenger. If it fails, the next tick tries again; the code routes without it. */
export function routingSync({ router, supabase, log }: Messenger): SyncRouting {
  const declared = router?.routes.declared ?? null;
  return async (stored) => {
    if (isSameRouting(declared, stored)) return false;
    try {
      await declareRouting(supabase, declared);
      log.info("routing_synced", { ...declared });
      return true;
    } catch (error) {
      log.error("routing_not_synced", { error: String(error) });
      return false;
    }
  };
}
