/** The example declares no schedules: its users make their own. */

import type { DeclaredSchedule } from "../../../supabase/functions/_shared/symphony/index.ts";

/** Every declared schedule of the example. */
export const schedules: readonly DeclaredSchedule[] = [];
