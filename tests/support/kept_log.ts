/** A log that keeps its lines for a test. */

import type { Logger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";

/** A line of the log. */
export interface LogLine {
  level: string;
  event: string;
  [field: string]: unknown;
}

/** A log that adds to these lines. */
export function logTo(lines: LogLine[]): Logger {
  const write = (level: string) => (event: string, fields: object = {}) =>
    void lines.push({ level, event, ...fields });
  const log: Logger = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    with: () => log,
  };
  return log;
}
