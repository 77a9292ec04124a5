/** Schedules that tests declare. */

import { z } from "zod";
import {
  type DeclaredSchedule,
  defineMessage,
  defineSchedule,
  type ScheduleOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";

/** The message of {@link daily}. */
export const Note = defineMessage({
  type: "Note",
  schema: z.object({ text: z.string() }),
  handler: () => {},
});

/** A declared schedule that runs each midnight, unless `more` says otherwise. */
export function daily(name: string, more: Partial<ScheduleOptions> = {}): DeclaredSchedule {
  return defineSchedule(
    Note,
    { text: name },
    { name, type: "cron", config: { cron: "@daily" }, ...more } as ScheduleOptions & {
      name: string;
    },
  );
}
