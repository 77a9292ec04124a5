// Shows a line of a function's output to people: time, function, level, event, and fields as name=value.
// The functions write JSON, which log drains read and people do not.

const COLOURS: Record<string, number> = { debug: 90, info: 36, warn: 33, error: 31 };
const NAME_WIDTH = 9;
const LEVEL_WIDTH = 5;

/** The fields that every line of the log has. */
interface LogLine extends Record<string, unknown> {
  time: string;
  level: string;
  event: string;
}

/**
 * The text for one line of output. Text in several lines, such as a stack, is indented below it.
 * Output that is not a line of the log, such as an uncaught error, keeps its text and gets the current time.
 * @param name the function's name
 * @param output what the function printed
 * @param isColoured whether the level has a colour
 */
export function formatLogLine(name: string, output: string, isColoured: boolean): string {
  const { time, level, event, ...fields } = parseLine(output) ??
    { time: new Date().toISOString(), level: "", event: output };
  const shown = Object.entries(fields).map(([key, value]) => `${key}=${showValue(value)}`);
  const isBlock = (text: string) => text.includes("\n");
  const line = [clockOf(time), name.padEnd(NAME_WIDTH), colour(level, isColoured)];
  line.push(...event.split("\n", 1), ...shown.filter((text) => !isBlock(text)));
  const below = [...event.split("\n").slice(1), ...shown.filter(isBlock).flatMap(linesOf)];
  return [line.join(" ").trimEnd(), ...below.map((text) => `    ${text}`)].join("\n");
}

/** Whether a function printed this through its logger. */
export function isLogLine(output: string): boolean {
  return parseLine(output) !== undefined;
}

function parseLine(output: string): LogLine | undefined {
  try {
    const value = JSON.parse(output);
    const isLog = typeof value?.time === "string" && typeof value.level === "string" &&
      typeof value.event === "string";
    return isLog ? value : undefined;
  } catch {
    return undefined;
  }
}

function linesOf(text: string): string[] {
  return text.split("\n");
}

/** Hours to milliseconds of a timestamp, by the clock of this machine. */
function clockOf(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  const clock = parts.map((part) => String(part).padStart(2, "0")).join(":");
  return `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Words stand as they are, text with spaces in quotes, text in several lines as it is. */
function showValue(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return /^[^\s"=]+$/.test(value) || value.includes("\n") ? value : JSON.stringify(value);
}

function colour(level: string, isColoured: boolean): string {
  const text = level.padEnd(LEVEL_WIDTH);
  const code = isColoured ? COLOURS[level] : undefined;
  return code === undefined ? text : `\x1b[${code}m${text}\x1b[0m`;
}
