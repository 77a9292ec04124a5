/** Syncs the routes of the code with the database's: SQL dispatches, schedules and redrives read them there. */

import {
  type DeclaredRouting,
  declareRouting,
  isSameRouting,
} from "../../database/declared-routing.ts";
import type { Messenger } from "../../messenger.ts";

/** Compares the database's routes with those of the code, and writes the latter if they differ. Never throws. */
export type SyncRouting = (stored: DeclaredRouting | null) => Promise<void>;

/** Makes the sync of a messenger. If it fails, the next tick tries again; the code routes without it. */
export function routingSync({ router, supabase, log }: Messenger): SyncRouting {
  const declared = router?.routes.declared ?? null;
  return async (stored) => {
    if (isSameRouting(declared, stored)) return;
    try {
      await declareRouting(supabase, declared);
      log.info("routing_synced", { ...declared });
    } catch (error) {
      log.error("routing_not_synced", { error: String(error) });
    }
  };
}
