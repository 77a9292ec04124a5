/** The benchmarks make their schedules themselves. */

import type { DeclaredSchedule } from "../../supabase/functions/_shared/symphony/index.ts";

/** Every declared schedule of the benchmarks. */
export const schedules: readonly DeclaredSchedule[] = [];
