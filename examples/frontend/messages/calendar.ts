/** A calendar that is never there: each message becomes a dead letter. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { pause } from "./pause.ts";

const CONNECT_MS = 600;

/** Syncs a calendar, in vain: it fails at each of its two attempts. */
export const SyncCalendar = defineMessage({
  type: "SyncCalendar",
  schema: z.object({ calendar: z.string().trim().min(1).max(60) }),
  access: "authenticated",
  callerOptions: ["cancel"],
  keep: "1h",
  live: true,
  retry: { maxRetries: 1, delay: "3s" },
  handler: async ({ calendar }, { progress, signal }) => {
    progress(0.2, `connects to ${calendar}`);
    await pause(CONNECT_MS, signal);
    throw new Error("the calendar does not answer");
  },
});
