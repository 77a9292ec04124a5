/** The messages of the example. */

import { ExportReport } from "./report.ts";

/** Every message definition of the example. */
export const messages = [ExportReport];
