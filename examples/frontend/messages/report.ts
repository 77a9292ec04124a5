/** A report that takes its time, tells how far it is, and fails at the first attempt. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { pause } from "./pause.ts";

const PAGE_MS = 500;

/** Renders a number of pages. `keep` and `live` let the user follow it. */
export const ExportReport = defineMessage({
  type: "ExportReport",
  schema: z.object({ pages: z.int().min(2).max(20) }),
  access: "authenticated",
  callerOptions: ["cancel", "schedule"],
  keep: "1h",
  live: true,
  retry: { maxRetries: 3, delay: "4s" },
  handler: async ({ pages }, { attempt, progress, signal }) => {
    for (let page = 1; page <= pages; page++) {
      await pause(PAGE_MS, signal);
      progress(page / pages, `page ${page} of ${pages}`);
      if (attempt === 1 && page >= pages / 2) throw new Error("the printer is not ready");
    }
  },
});
