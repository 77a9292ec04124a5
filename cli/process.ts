/** The process that a command runs in, on Node and on Deno. */

import process from "node:process";
import { text } from "node:stream/consumers";
import { CommandError, describeFailure, EXIT } from "./errors.ts";
import type { Io } from "./messenger/context.ts";

/** The process's own streams, environment and signals. Ctrl-C asks the command to end; twice, it ends it. */
export function processIo(): Io {
  const end = new AbortController();
  process.on("SIGINT", () => {
    if (end.signal.aborted) process.exit(EXIT.interrupted);
    end.abort();
  });
  // A note that stderr does not take is lost; the result and the exit code stay as they are.
  const note = writeTo(process.stderr, () => {});
  const print = writeTo(process.stdout, (error) => endWithoutOutput(error, note));
  const { columns, isTTY } = process.stdout;
  return {
    variable: (name) => process.env[name],
    print: (line) => print(`${line}\n`),
    note,
    input: () => text(process.stdin),
    // Some terminals say 0.
    columns: isTTY && columns > 0 ? columns : undefined,
    showsProgress: process.stderr.isTTY === true,
    signal: end.signal,
    now: () => new Date(),
  };
}

type WriteError = Error & { readonly code?: string };

/** Writes to a stream. Node tells of an error by an event; Deno throws it, where the stream is a file. */
function writeTo(stream: NodeJS.WriteStream, onError: (error: WriteError) => void) {
  stream.on("error", onError);
  return (text: string) => {
    try {
      stream.write(text);
    } catch (error) {
      onError(error as WriteError);
    }
  };
}

function endWithoutOutput({ code, message }: WriteError, note: (text: string) => void): never {
  // The reader, such as head, has all that it wants: `messages tail` would not end otherwise.
  if (code === "EPIPE") process.exit(EXIT.ok);
  const failure = new CommandError(EXIT.output, "output", `stdout: cannot be written: ${message}`);
  note(`${describeFailure(failure, process.argv.includes("--json"))}\n`);
  process.exit(failure.exitCode);
}
