/** Structured logs: one JSON object a line, for log drains and the dashboard's search. */

import { isOptions } from "./option-names.ts";
import { configure } from "safe-stable-stringify";
import { showValue } from "./inspect.ts";
import { LogLimiter } from "./log-limiter.ts";
import { checkNames } from "./option-names.ts";

/** Fields of a log line. They never hold payloads or keys. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes log lines. `with` makes a logger that adds fields to each line. No method throws. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  with(fields: LogFields): Logger;
  /** Writes what {@link createLogger}'s `limit` has left out so far, as when a tick ends; by default there is none. */
  flush?(): void;
}

/** Levels, least serious first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

/** Lines below this level are not written. */
export type LogLevel = (typeof LOG_LEVELS)[number];

type LineLevel = Exclude<LogLevel, "silent">;

/** A line of a hosted function's log is cut at 10,000 characters. */
const MAX_LINE_LENGTH = 9_500;

/** Bounds of a line's fields, widest first. A line that is too long is written again with the next bounds. */
const BOUNDS = [
  { text: 4_000, breadth: 100, depth: 8, fields: 50 },
  { text: 500, breadth: 20, depth: 4, fields: 30 },
  { text: 100, breadth: 5, depth: 2, fields: 15 },
  { text: 20, breadth: 1, depth: 1, fields: 10 },
] as const;

/**
 * Makes a logger of JSON lines. A field whose name the line or `with` already uses is written inside
 * `fields` and replaces nothing.
 * @param options.level least serious level to write; default: `info`
 * @param options.write receives each line with its level; default: the console
 * @param options.now clock of the lines' `time`
 * @param options.limit most lines in 10 s; lines beyond are counted, and told in one line. Default: no limit
 * @throws RangeError if an option or the level is unknown
 */
export function createLogger(options: {
  level?: LogLevel;
  write?: (level: LineLevel, line: string) => void;
  now?: () => Date;
  fields?: LogFields;
  limit?: number | undefined;
} = {}): Logger {
  checkNames(options, ["level", "write", "now", "fields", "limit"]);
  const { level = "info", fields = {}, limit, now = () => new Date() } = options;
  if (!LOG_LEVELS.includes(level)) {
    throw new RangeError(
      `level: has to be one of ${LOG_LEVELS.join(", ")}; got ${showValue(level)}`,
    );
  }
  const write = options.write ?? ((level, line) => console[level](line));
  const limiter = limit === undefined ? undefined : new LogLimiter(limit);
  return loggerOf(new LineWriter(write, now, limiter), level, fields);
}

/** A logger whose lines have these fields. No method throws: a line that cannot be written must not fail the work. */
function loggerOf(writer: LineWriter, level: LogLevel, own: LogFields): Logger {
  const at = (lineLevel: LineLevel) => {
    if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level)) return () => {};
    return (event: string, fields?: LogFields) => {
      try {
        writer.line(lineLevel, event, own, fields);
      } catch {
        // See above.
      }
    };
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    with: (fields) => loggerOf(writer, level, withOwn(own, fields)),
    flush: () => {
      try {
        writer.summarize();
      } catch {
        // See above.
      }
    },
  };
}

/** Writes the lines of a logger, and of those that it makes by `with`. */
class LineWriter {
  constructor(
    private readonly write: (level: LineLevel, line: string) => unknown,
    private readonly now: () => Date,
    private readonly limiter: LogLimiter | undefined,
  ) {}

  line(level: LineLevel, event: string, own: LogFields, fields: LogFields | undefined): void {
    const at = this.now();
    const name = String(event);
    if (this.limiter) {
      if (this.limiter.turn(at)) this.summarize();
      const id = own.id ?? readField(asFields(fields) ?? {}, "id");
      if (!this.limiter.admits(name, level, at, id)) return;
    }
    this.#put(level, at, name, own, fields);
  }

  /** Tells which lines were left out, if any were. */
  summarize(): void {
    const { lines, leftOut } = this.limiter?.take() ?? { lines: 0, leftOut: [] };
    if (lines > 0) this.#put("warn", this.now(), "lines_left_out", {}, { lines, leftOut });
  }

  #put(level: LineLevel, at: Date, event: string, own: LogFields, fields?: LogFields): void {
    const written = this.write(
      level,
      toLine({ level, time: at.toISOString(), event }, own, fields),
    );
    // An asynchronous `write` may reject later.
    if (written instanceof Promise) written.catch(() => {});
  }
}

function toLine(head: LogFields, own: LogFields, fields: LogFields | undefined): string {
  const all = withOwn(withOwn(head, own), asFields(fields));
  for (const bounds of BOUNDS) {
    const line = stringify(all, bounds);
    if (line.length <= MAX_LINE_LENGTH) return line;
  }
  return stringify(
    { ...head, event: String(head.event).slice(0, 200), shortened: true },
    BOUNDS[3],
  );
}

/** Wraps a value that is no object of fields, such as an error, in one. */
function asFields(fields: unknown): LogFields | undefined {
  if (fields === undefined || fields === null) return undefined;
  if (typeof fields !== "object") return { value: fields };
  try {
    if (fields instanceof Error) return { error: fields };
    return isOptions(fields) ? fields as LogFields : { value: fields };
  } catch {
    return { value: UNREADABLE };
  }
}

/** Adds fields to a line's own. A field whose name is taken goes into `fields`. */
function withOwn(own: LogFields, added: LogFields | undefined): LogFields {
  if (typeof added !== "object" || added === null) return own;
  const line: Record<string, unknown> = { ...own };
  const displaced: Record<string, unknown> = {};
  for (const name of namesOf(added)) {
    (Object.hasOwn(own, name) ? displaced : line)[name] = readField(added, name);
  }
  if (Object.keys(displaced).length === 0) return line;
  const before = readAll(line.fields);
  return { ...line, fields: { ...before, ...displaced } };
}

/** Names of fields; none if reading them throws. */
function namesOf(fields: object): string[] {
  try {
    return Object.keys(fields);
  } catch {
    return [];
  }
}

function readAll(fields: unknown): LogFields {
  if (typeof fields !== "object" || fields === null) return {};
  return Object.fromEntries(
    namesOf(fields).map((name) => [name, readField(fields as LogFields, name)]),
  );
}

function readField(fields: LogFields, name: string): unknown {
  try {
    return fields[name];
  } catch {
    return UNREADABLE;
  }
}

const UNREADABLE = "[unreadable]";

function stringify(fields: LogFields, bounds: (typeof BOUNDS)[number]): string {
  const write = configure({
    deterministic: false,
    maximumDepth: bounds.depth,
    maximumBreadth: bounds.breadth,
  });
  const shorten = (_: string, value: unknown) => shown(value, bounds.text);
  const parts = Object.keys(fields).slice(0, bounds.fields).flatMap((name) => {
    try {
      const text = write(fields[name], shorten);
      return text === undefined ? [] : [`${JSON.stringify(name.slice(0, 100))}:${text}`];
    } catch {
      return [`${JSON.stringify(name.slice(0, 100))}:"${UNREADABLE}"`];
    }
  });
  return `{${parts.join(",")}}`;
}

/** A value that JSON has no form for, as text that a reader of the log knows. */
function shown(value: unknown, maxText: number): unknown {
  switch (typeof value) {
    case "string":
      return value.length <= maxText ? value : `${value.slice(0, maxText)}… (${value.length})`;
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return "[function]";
    case "number":
      return Number.isFinite(value) ? value : String(value);
  }
  if (value instanceof Error) return `${value.name}: ${value.message}`.slice(0, maxText);
  if (value instanceof Response) return `HTTP ${value.status}`;
  if (value instanceof Map) return Object.fromEntries([...value].slice(0, 100));
  if (value instanceof Set) return [...value].slice(0, 100);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  return value;
}
