/** The messages of the example. */

import { SyncCalendar } from "./calendar.ts";
import { ExportReport } from "./report.ts";
import { RenderVideo } from "./video.ts";

export { schedules } from "./schedules.ts";

/** Every message definition of the example. */
export const messages = [ExportReport, SyncCalendar, RenderVideo];
