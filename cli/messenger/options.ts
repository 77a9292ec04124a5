/** What is said on the command line, turned into queries and bodies. */

import { parseArgs } from "@std/cli/parse-args";

/** A command line that was read. */
export interface CommandLine {
  /** Names, ids: what is no option. */
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly help: boolean;
}

/** Something on the command line is wrong. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const FLAGS = ["json", "dry-run", "help"];
const OPTIONS = [
  ...["type", "queue", "reason", "error", "from", "until", "status", "limit", "max", "name"],
  ...["per-second", "to-queue", "payload", "n"],
  ...["max-workers", "concurrency", "group-concurrency", "rate-limit", "rate-period-ms"],
  ...["weight", "lease-ms", "max-tick-age", "max-ready-age", "max-dead-letters"],
];

/** @throws UsageError that names what is wrong */
export function readCommandLine(args: readonly string[]): CommandLine {
  const parsed: Record<string, unknown> & { _: unknown[] } = parseArgs([...args], {
    boolean: FLAGS,
    string: [...OPTIONS, "_"],
    collect: OPTIONS,
    unknown: (argument: string, key?: string) => {
      if (key !== undefined) throw new UsageError(`${argument}: there is no such option`);
      return true;
    },
  });
  const options: Record<string, string> = {};
  for (const name of OPTIONS) {
    const [value, ...more] = parsed[name] as string[];
    if (value === undefined) continue;
    if (more.length > 0) throw new UsageError(`--${name}: is given more than once`);
    if (value === "") throw new UsageError(`--${name}: has no value`);
    options[name] = value;
  }
  return {
    words: parsed._.map(String),
    options,
    json: parsed.json === true,
    dryRun: parsed["dry-run"] === true,
    help: parsed.help === true,
  };
}

/** Names of the API's fields, by their options; where they differ by more than camelCase. */
const FIELDS: Readonly<Record<string, string>> = {
  from: "failedFrom",
  until: "failedUntil",
  max: "maxMessages",
};

/**
 * The options that a command takes, by the names of the API's fields.
 * @throws UsageError that names an option which does not go with the command
 */
export function pick(line: CommandLine, allowed: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(line.options).map(([name, value]) => {
      if (!allowed.includes(name)) throw new UsageError(`--${name}: does not go with this command`);
      return [FIELDS[name] ?? camelCase(name), value];
    }),
  );
}

/**
 * A number, or null where `none` is said.
 * @param name of the option, or of the API's field
 * @throws UsageError that names the option
 */
export function toNumber(name: string, value: string): number | null {
  if (value === "none") return null;
  const number = Number(value);
  if (Number.isNaN(number)) {
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`--${option}: has to be a number or none`);
  }
  return number;
}

/** The name as the API writes it. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
