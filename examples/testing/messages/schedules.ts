/** The schedules of the example that are declared in code. */

import { defineSchedule } from "../../../supabase/functions/_shared/symphony/index.ts";
import { SendMail } from "./mail.ts";

/** Every declared schedule of the example. */
export const schedules = [
  defineSchedule(SendMail, { to: "team@example.org", template: "digest" }, {
    name: "weekly-digest",
    type: "cron",
    config: { cron: "0 9 * * mon" },
    timezone: "Europe/London",
  }),
];
