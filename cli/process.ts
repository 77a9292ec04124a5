/** The process that a command runs in, on Node and on Deno. */

import process from "node:process";
import { text } from "node:stream/consumers";
import { EXIT } from "./errors.ts";
import type { Io } from "./messenger/context.ts";

/** The process's own streams, environment and signals. Ctrl-C asks the command to end; twice, it ends it. */
export function processIo(): Io {
  const end = new AbortController();
  process.on("SIGINT", () => {
    if (end.signal.aborted) process.exit(EXIT.interrupted);
    end.abort();
  });
  process.stdout.on("error", (error: Error & { code?: string }) => {
    // The reader, such as head, has all that it wants: `messages tail` would not end otherwise.
    if (error.code === "EPIPE") process.exit(EXIT.ok);
    throw error;
  });
  const { columns, isTTY } = process.stdout;
  return {
    variable: (name) => process.env[name],
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(line),
    input: () => text(process.stdin),
    // Some terminals say 0.
    columns: isTTY && columns > 0 ? columns : undefined,
    showsProgress: process.stderr.isTTY === true,
    signal: end.signal,
    now: () => new Date(),
  };
}
