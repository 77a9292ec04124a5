/**
 * Functions and procedures of an SQL file, and their lengths. The reader knows what may hide a semicolon
 * (comments, quoted texts, dollar quotes), and so finds where each statement ends.
 */

/** A function or procedure and how long its statement is. */
export interface SqlFunction {
  readonly name: string;
  /** The line of `create`, from 1. */
  readonly line: number;
  /** Lines from `create` to the closing semicolon. */
  readonly lines: number;
}

/** One token: a comment, a quoted text or name, a dollar quote, a semicolon, or any other character. */
const TOKEN =
  /--[^\n]*|\/\*[^]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(\w*)\$[^]*?\$\1\$|;|\s+|[\w.]+|[^]/g;
const CREATES = /^create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+([\w."]+)/i;

/** Finds the functions and procedures that a file creates, in its order. */
export function findSqlFunctions(text: string): SqlFunction[] {
  const found: SqlFunction[] = [];
  let start: number | undefined;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (start === undefined) {
      if (/^(\s|--|\/\*)/.test(token)) continue;
      start = index;
    }
    if (token !== ";") continue;
    const statement = text.slice(start, index);
    const name = CREATES.exec(statement)?.[1];
    if (name) found.push({ name, line: lineAt(text, start), lines: statement.split("\n").length });
    start = undefined;
  }
  return found;
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}
