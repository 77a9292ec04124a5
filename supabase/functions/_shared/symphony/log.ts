/** Structured logs: one JSON object a line, as log drains and the dashboard's search read them. */

/** Fields of a log line. Never payloads or keys. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines; `with` makes a logger that adds fields to each of its lines. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  with(fields: LogFields): Logger;
}

/** Levels, least serious first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** Lines below this level are not written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

// A line of a hosted function's log is cut at 10,000 characters.
const MAX_LINE = 9_500;

/**
 * Makes a logger of JSON lines.
 * @param options.level least serious level that is written; `info` where absent
 * @param options.write gets each line with its level; `console` where absent
 * @param options.now the clock of the lines' `time`
 */
export function createLogger(options: {
  level?: LogLevel;
  write?: (level: Exclude<LogLevel, "silent">, line: string) => void;
  now?: () => Date;
  fields?: LogFields;
} = {}): Logger {
  const { level = "info", fields: own = {}, now = () => new Date() } = options;
  const write = options.write ?? ((level, line) => console[level](line));
  const at = (lineLevel: Exclude<LogLevel, "silent">) => {
    if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return () => {};
    return (event: string, fields?: LogFields) =>
      write(
        lineLevel,
        JSON.stringify(
          { level: lineLevel, time: now().toISOString(), event, ...own, ...fields },
        ).slice(0, MAX_LINE),
      );
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => createLogger({ ...options, fields: { ...own, ...fields } }),
  };
}
