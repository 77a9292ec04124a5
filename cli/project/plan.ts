/** A plan: the files that a command writes, and what speaks against it. Nothing is written while it is made. */

import type { Files } from "./files.ts";

/** One file: its text from now on, or null where it goes. */
export interface Change {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string | null;
}

/** Something that the user has to know, with where it is and what to do. */
export interface Note {
  /** A refusal keeps the command from writing anything. */
  readonly level: "refusal" | "warning";
  readonly path: string;
  /** From 1; undefined where the file as a whole is meant. */
  readonly line?: number;
  readonly problem: string;
  readonly advice: string;
}

/** Which files to write, and notes in the order of their finding. */
export interface Plan {
  readonly changes: readonly Change[];
  readonly notes: readonly Note[];
}

/** The changes that differ from what is there. */
export function effective(changes: readonly Change[], files: Files): Change[] {
  return changes.filter(({ path, text }) => (files.get(path) ?? null) !== text);
}

/** Makes a refusal. */
export function refusal(path: string, problem: string, advice: string, line?: number): Note {
  return { level: "refusal", path, problem, advice, ...(line !== undefined && { line }) };
}

/** Makes a warning. */
export function warning(path: string, problem: string, advice: string, line?: number): Note {
  return { level: "warning", path, problem, advice, ...(line !== undefined && { line }) };
}

/** A note as people read it: `path:line: problem`, and below it what to do. */
export function describeNote({ level, path, line, problem, advice }: Note): string {
  const where = line === undefined ? path : `${path}:${line}`;
  return `${level === "refusal" ? "refused" : "warning"}: ${where}: ${problem}\n  ${
    advice.replaceAll("\n", "\n  ")
  }`;
}
