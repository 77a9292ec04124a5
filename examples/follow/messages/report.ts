/** A report that takes its time, tells how far it is, and fails at the first attempt. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";

const PAGE_MS = 500;

/** Renders a number of pages. `keep` and `live` let the user follow it. */
export const ExportReport = defineMessage({
  type: "ExportReport",
  schema: z.object({ pages: z.int().min(2).max(20) }),
  access: "authenticated",
  keep: "1h",
  live: true,
  retry: { maxRetries: 3, delay: "3s" },
  handler: async ({ pages }, { attempt, progress }) => {
    for (let page = 1; page <= pages; page++) {
      await new Promise((resolve) => setTimeout(resolve, PAGE_MS));
      progress(page / pages, `page ${page} of ${pages}`);
      if (attempt === 1 && page >= pages / 2) throw new Error("the printer is not ready");
    }
  },
});
