/** The context of every command: the project, where to write, and the options that all commands take. */

import { Command, InvalidArgumentError, Option } from "commander";
import { UnstorableError } from "../../supabase/functions/_shared/symphony/runtime/json.ts";
import { parseJson as parseJsonText } from "../../supabase/functions/_shared/symphony/runtime/json-text.ts";
import { type Call, createCall, listAll } from "./client.ts";
import { ApiError, EXIT, type ExitCode, UsageError } from "../errors.ts";
import { withDash } from "../project/functions.ts";
import { visible } from "../visible.ts";
import { type Entry, fields, type Look, table } from "./table.ts";

/** The process around a command. */
export interface Io {
  /** Reads the environment. */
  readonly variable: (name: string) => string | undefined;
  /** Writes a text to stdout, a line or several. */
  readonly print: (text: string) => void;
  /** Writes to stderr as it is. */
  readonly note: (text: string) => void;
  /** Reads all of stdin. */
  readonly input: () => Promise<string>;
  /** Columns of the terminal that stdout is; undefined where it is none. */
  readonly columns?: number | undefined;
  /** Whether stderr is a terminal, on which a progress bar may be drawn. */
  readonly showsProgress?: boolean;
  /** Aborted where the user has asked the command to end. */
  readonly signal?: AbortSignal;
  readonly now: () => Date;
}

/** Options that all commands take. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly wide?: boolean;
}

/** A command that runs. */
export class Context {
  /** How the process ends. */
  exitCode: ExitCode = EXIT.ok;
  json = false;
  #wide = false;

  readonly io: Io;

  constructor(io: Io) {
    this.io = { ...io, print: (text) => io.print(visible(text)) };
  }

  /** Takes the options that all commands have. */
  take({ json = false, wide = false }: CommonOptions): void {
    this.json = json;
    this.#wide = wide;
  }

  /** How values are shown. */
  get look(): Look {
    const { columns = Infinity } = this.io;
    return { wide: this.#wide, columns, now: this.io.now() };
  }

  /** The management API. */
  readonly call: Call = (method, path, body) => this.connect("messenger")(method, path, body);

  /**
   * A function of the project.
   * @throws UsageError where the environment names no project, or what is none
   */
  connect(name: string): Call {
    const prefix = withDash(this.io.variable("SYMPHONY_FUNCTION_PREFIX") ?? "");
    const url = this.#required("SUPABASE_URL", "the project's URL");
    if (!URL.canParse(url) || !/^https?:/.test(url)) {
      throw new UsageError(`SUPABASE_URL: has to be an http or https URL (${url})`);
    }
    const key = this.#required(
      "SUPABASE_SECRET_KEY",
      "a secret key: dashboard, Settings, API keys",
    );
    // No header takes anything else; fetch would call the project unreachable.
    if (!/^[!-~]+$/.test(key.trim())) {
      throw new UsageError(
        "SUPABASE_SECRET_KEY: has to be a key without spaces or other characters",
      );
    }
    return createCall(url, key, prefix + name);
  }

  #required(name: string, content: string): string {
    const value = this.io.variable(name);
    if (value) return value;
    throw new UsageError(`${name}: is not set; set it to ${content}`);
  }

  /** Says a result: the value for programs, the text for people. */
  say(value: unknown, text: string): void {
    this.io.print(this.json ? JSON.stringify(value, null, 2) : text);
  }

  /** Says an object, its fields one below the other. */
  sayEntry(entry: Entry): void {
    this.say(entry, fields(entry, this.look));
  }

  /** Says a list as a table, and what of it is not seen. */
  sayTable(entries: readonly Entry[], columns: readonly string[], more?: string): void {
    const { text, isCut } = table(entries, columns, this.look);
    this.say(entries, text);
    if (this.json) return;
    if (entries.length === 0) this.io.note("Nothing found.\n");
    if (isCut) this.io.note("Some texts are cut; --wide shows them whole.\n");
    if (more) this.io.note(`${more}\n`);
  }

  /** Lists entries of the API, up to `--limit`. */
  async list(
    path: string,
    field: string,
    columns: readonly string[],
    query: Readonly<Record<string, string | undefined>>,
    limit: number,
  ): Promise<void> {
    const given = Object.entries(query).filter((entry): entry is [string, string] =>
      entry[1] !== undefined
    );
    const { entries, hasMore } = await listAll(
      this.call,
      path,
      field,
      Object.fromEntries(given),
      limit,
    );
    this.sayTable(
      entries,
      columns,
      hasMore
        ? `${entries.length} are shown and there are more; --limit none shows all.`
        : undefined,
    );
  }
}

/** Adds a command that runs. Its words and options are commander's; `act` gets them as they are given there. */
export function addCommand<Options extends object>(
  parent: Command,
  context: Context,
  words: string,
  description: string,
  options: readonly Option[],
  act: (words: readonly string[], options: Options) => Promise<void>,
): Command {
  const command = parent.command(words).description(description);
  for (const option of options) command.addOption(option);
  command
    .addOption(new Option("--json", "the answer as JSON, errors too"))
    .addOption(new Option("--wide", "times with their zone, and nothing cut"));
  return command.action(async (...given: unknown[]) => {
    const all: Options & CommonOptions = command.opts();
    context.take(all);
    // Behind the words commander gives the options and the command.
    const named = given.slice(0, -2).flat().filter((word) => word !== undefined).map(String);
    await act(named, all).catch((error) => {
      throw error instanceof ApiError ? withOptions(error, command.options) : error;
    });
  });
}

/** Options that the API's fields have other names for. */
const FIELDS: Readonly<Record<string, string>> = {
  maxMessages: "--max",
  failedFrom: "--from",
  failedUntil: "--to",
  sentFrom: "--from",
  sentUntil: "--to",
  until: "--to",
  createdUntil: "--created-to",
  groupKey: "--group",
  from: "--from-step",
  availableAt: "--at",
  "config.cron": "--cron",
  "config.interval": "--every",
  "config.at": "--at",
};

/** The error with the command's options in place of the API's fields. */
function withOptions(error: ApiError, options: readonly Option[]): ApiError {
  const flagOf = (path: string) => {
    const field = path.replace(/^schedule\./, "");
    return options.find(({ long }) => long === FIELDS[field])?.long ??
      options.find((option) => option.attributeName() === field)?.long ?? path;
  };
  const [path = ""] = /^[\w.]+(?=: )/.exec(error.message) ?? [];
  const problem = error.message.slice(path.length);
  // A payload has the names of its user.
  const told = path.startsWith("payload")
    ? problem
    : problem.replace(/(?<=has to come after )\w+|\b[a-z]+[A-Z]\w*/g, flagOf);
  const message = `${flagOf(path)}${told}`;
  return new ApiError(error.status, error.code, message, error.details, { cause: error });
}

/** An option that takes a text; empty is none. */
export function text(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => {
    if (value === "") throw new InvalidArgumentError("It is empty; leave it out, or give a value.");
    return value;
  });
}

/** A number as people write it, neither `0x10` nor `1e3`; NaN of everything else. */
function parseNumber(value: string): number {
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : NaN;
}

/** An option that takes a number. */
export function number(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => {
    const parsed = parseNumber(value);
    if (Number.isNaN(parsed)) throw new InvalidArgumentError("It has to be a number.");
    return parsed;
  });
}

/** An option that takes a number, or `none`, which `orNull` turns into null: commander has no null. */
export function numberOrNone(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => {
    if (value === "none") return value;
    const parsed = parseNumber(value);
    if (Number.isNaN(parsed)) throw new InvalidArgumentError("It has to be a number or none.");
    return parsed;
  });
}

/** Null for `none`. */
export function orNull<Value>(value: Value | "none"): Value | null {
  return value === "none" ? null : value;
}

/**
 * A path of the API from texts of the command line.
 * @throws UsageError if one is empty or would lead to another path
 */
export function pathTo(...parts: readonly string[]): string {
  return parts.map((part) => {
    // URLs are resolved before they are sent: DELETE /queues/.. would reach another resource.
    if (part !== "" && part !== "." && part !== "..") return `/${encodeURIComponent(part)}`;
    throw new UsageError(`${JSON.stringify(part)}: is neither an id nor a name`);
  }).join("");
}

/**
 * Reads JSON of the command line without loss.
 * @throws UsageError if it is no JSON, or holds a number that would become another one
 */
export function parseJson(value: string, name: string): unknown {
  try {
    return parseJsonText(value);
  } catch (error) {
    if (error instanceof UnstorableError) {
      throw new UsageError(`${[name, ...error.path].join(".")}: ${error.message}`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${name}: is not JSON: ${reason}`);
  }
}

/** How many entries a list shows. */
export const limitOption = (): Option =>
  new Option("--limit <n>", "largest number to list, or none for all").default(50).argParser(
    (value: string) => {
      if (value === "none") return Infinity;
      const parsed = parseNumber(value);
      if (!Number.isInteger(parsed) || parsed < 1) {
        throw new InvalidArgumentError("It has to be 1 or more, or none.");
      }
      return parsed;
    },
  );
