/**
 * Holds the library to the house style: no circle of imports, short files and functions, one name a thing,
 * a docstring for each export, SQL's names in one folder. Pure: files go in, figures and problems come out.
 */

import { basename } from "node:path";
import { findCircles } from "./import_circles.ts";
import type { SqlFunction } from "./sql_functions.ts";
import type { TypeScriptFile } from "./typescript_file.ts";

/** Lines that a TypeScript file may have. */
export const MAX_FILE_LINES = 300;
/** Lines that a TypeScript function may have. */
export const MAX_FUNCTION_LINES = 50;
/** Lines that an SQL function may have. */
export const MAX_SQL_FUNCTION_LINES = 60;

/** The folders whose files may name tables and SQL functions. */
const SPEAKS_SQL = /(^|\/)(database|testing)\//;

/** The files that are checked. */
export interface Source {
  readonly files: readonly TypeScriptFile[];
  readonly sqlFunctions: readonly (SqlFunction & { readonly path: string })[];
}

/** One breach of the house style. */
export interface Problem {
  /** The name for an exception: `path`, `path: function`, or the SQL function's name. */
  readonly subject: string;
  readonly text: string;
}

/** Finds each breach of the house style. */
export function findProblems({ files, sqlFunctions }: Source): Problem[] {
  return [
    ...circlesOf(files).map((circle) => ({
      subject: circle.join(" "),
      text: `circle of imports: ${circle.join(", ")}`,
    })),
    ...files.flatMap(problemsOfFile),
    ...repeatedBasenames(files).map((paths) => ({
      subject: paths.join(" "),
      text: `one basename for different things: ${paths.join(", ")}`,
    })),
    ...sqlFunctions.filter(({ lines }) => lines > MAX_SQL_FUNCTION_LINES)
      .map(({ path, name, line, lines }) => ({
        subject: name,
        text: `${path}:${line}: ${name} has ${lines} lines; at most ${MAX_SQL_FUNCTION_LINES}`,
      })),
  ];
}

function problemsOfFile(
  { path, lines, functions, undocumented, sqlNames }: TypeScriptFile,
): Problem[] {
  const problems: Problem[] = [];
  const add = (subject: string, text: string) => problems.push({ subject, text });
  if (lines > MAX_FILE_LINES) {
    add(path, `${path}: the file has ${lines} lines; at most ${MAX_FILE_LINES}`);
  }
  for (const { name, line, lines } of functions) {
    if (lines <= MAX_FUNCTION_LINES) continue;
    const text = `${path}:${line}: ${name} has ${lines} lines; at most ${MAX_FUNCTION_LINES}`;
    add(`${path}: ${name}`, text);
  }
  for (const name of undocumented) add(`${path}: ${name}`, `${path}: ${name} has no docstring`);
  if (!SPEAKS_SQL.test(path)) {
    for (const { name, line } of sqlNames) {
      add(path, `${path}:${line}: names ${name}; database/ alone speaks SQL's names`);
    }
  }
  if (!isKebabCase(path)) add(path, `${path}: the file's name is not in kebab-case`);
  return problems;
}

/** The figures that tell whether the code is easy to enter, a line each. */
export function describeFigures({ files, sqlFunctions }: Source): string[] {
  const lengths = files.map(({ lines }) => lines).sort((a, b) => a - b);
  const functions = files.flatMap(({ path, functions }) =>
    functions.map((measured) => ({ ...measured, path }))
  );
  const file = longest(files);
  const longestFunction = longest(functions);
  const sql = longest(sqlFunctions);
  const at = ({ path, name, lines }: { path: string; name: string; lines: number }) =>
    `${lines} lines (${name} in ${basename(path)})`;
  return [
    `files: ${files.length}, median ${lengths[lengths.length >> 1] ?? 0} lines`,
    `longest file: ${file ? `${file.lines} lines (${file.path})` : "none"}`,
    `longest function: ${longestFunction ? at(longestFunction) : "none"}`,
    `longest SQL function: ${sql ? at(sql) : "none"}`,
    `circles of imports: ${circlesOf(files).length}`,
    `basenames used twice: ${repeatedBasenames(files).length}`,
    `file names not in kebab-case: ${files.filter(({ path }) => !isKebabCase(path)).length}`,
  ];
}

function circlesOf(files: readonly TypeScriptFile[]): string[][] {
  return findCircles(new Map(files.map(({ path, imports }) => [path, imports])));
}

/** Each folder may have an index.ts: it stands for its folder. */
function repeatedBasenames(files: readonly TypeScriptFile[]): string[][] {
  const byName = Map.groupBy(files.map(({ path }) => path), (path) => basename(path));
  return [...byName].filter(([name, paths]) => name !== "index.ts" && paths.length > 1)
    .map(([, paths]) => paths);
}

function isKebabCase(path: string): boolean {
  return /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)+$/.test(basename(path));
}

function longest<Measured extends { readonly lines: number }>(
  all: readonly Measured[],
): Measured | undefined {
  return all.reduce<Measured | undefined>(
    (longest, one) => longest && longest.lines >= one.lines ? longest : one,
    undefined,
  );
}
