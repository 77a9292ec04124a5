/** Loads the project's message definitions in Deno, for which they are written, and takes their schemas as JSON. */

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import process from "node:process";
import { CommandError, EXIT } from "../errors.ts";
import { withDenoConfig } from "../worker/deno-config.ts";
import { argumentsOf, DENO_ENV, moduleOf } from "../worker/program.ts";
import type { DescribedMessage } from "./generated-text.ts";

/** The definitions to load. */
export interface Definitions {
  /** The program of Deno. */
  readonly deno: string;
  /** The project's folder. */
  readonly root: string;
  /** The module of the messages; by default the project's. */
  readonly messages: string | undefined;
}

/** A message type, and why its payload's schema is missing. */
export type LoadedMessage = DescribedMessage & { readonly problem?: string };

/** Deno may have to download the packages that the modules import. */
const LONGEST_MS = 120_000;

// Modules may print as they load: that goes to stderr, so that stdout has the result alone. Their timers end with the
// process.
const CODE = `
const [library, project] = INPUT;
const print = console.log;
for (const name of ["log", "info", "debug"]) console[name] = console.error;
const end = (answer) => {
  print(JSON.stringify(answer));
  Deno.exit(0);
};
try {
  const [{ z }, { messages }] = await Promise.all([import(library), import(project)]);
  if (!Array.isArray(messages)) throw new Error("messages: has to be exported, an array of definitions");
  const describe = ({ type, schema, access, result, keepsResult }, place) => {
    if (!schema?._zod) throw new Error("messages." + place + ": has to be a definition of defineMessage");
    const json = (schema, io) => z.toJSONSchema(schema, { io, unrepresentable: "any" });
    const described = { type, isSecret: access === "secret", payload: true };
    try {
      described.payload = json(schema, "input");
      // Callers see a result only where it is kept.
      if (keepsResult && result?._zod) described.result = json(result, "output");
    } catch (error) {
      described.problem = String(error?.message ?? error);
    }
    return described;
  };
  end({ messages: messages.map(describe) });
} catch (error) {
  end({ error: String(error?.message ?? error) });
}
`;

/**
 * Loads the definitions, in a process of their own.
 * @throws UsageError if the module, or the project's import map, is missing
 * @throws CommandError if the module cannot be loaded, or takes longer than two minutes
 */
export async function loadDefinitions(
  { deno, root, messages }: Definitions,
): Promise<LoadedMessage[]> {
  const failed = (reason: string) =>
    new CommandError(
      EXIT.nothing,
      "not_loaded",
      `${moduleOf(root, messages)}: cannot be loaded: ${reason}`,
    );
  const { code, stdout, stderr } = await withDenoConfig((config) => {
    const args = argumentsOf({ root, messages, config, library: "index", code: CODE });
    return runDeno(deno, args, root);
  });
  const answer = parse(stdout);
  if (answer?.messages) return answer.messages;
  if (answer?.error) throw failed(answer.error);
  if (code === null) throw failed(`it took longer than ${LONGEST_MS / 1000} s`);
  throw failed(stderr.trim() || `Deno ended with ${code}`);
}

/** Runs Deno to its end. `code` is null if it was stopped. */
async function runDeno(deno: string, args: readonly string[], cwd: string) {
  const child = spawn(deno, args, {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...DENO_ENV, NO_COLOR: "1" },
    timeout: LONGEST_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", resolve);
  });
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return { code, stdout, stderr };
}

function parse(stdout: string): { messages?: LoadedMessage[]; error?: string } | null {
  try {
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  } catch {
    return null;
  }
}
