/** Notes that several commands give. */

import { type Note, refusal } from "./plan.ts";

/** The refusal where no migration can come after the last one. */
export function behindAll(path = "supabase/migrations"): Note {
  return refusal(
    path,
    "sorts behind every migration that is named by a time, so that none can come after it",
    "Rename it to the time at which it was written, such as 20260131120000_name.sql; where it is applied already, " +
      "mend the history with `npx supabase@3 migration repair --remote`.",
  );
}
