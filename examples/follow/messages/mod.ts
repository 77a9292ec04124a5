/** The messages of the example. */

import { ExportReport } from "./report.ts";

export { schedules } from "./schedules.ts";

/** Every message definition of the example. */
export const messages = [ExportReport];
