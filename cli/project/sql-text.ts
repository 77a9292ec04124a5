/** Reads SQL as far as it takes to tell statements from comments and literals. */

/** The beginnings of comments, quoted names and literals. */
const PART = /--|\/\*|"|\be'|'|(?<![\w$])\$(?:[a-z_]\w*)?\$/gi;
/** A literal behind this is run as SQL at once. */
const RUN =
  /\b(?:do|execute)(?:\s+language\s+\w+)?\s*(?:\(\s*)?(?:(?:pg_catalog\s*\.\s*)?format\s*\(\s*)?$/i;
/** How many characters before a literal RUN looks at. */
const RUN_LENGTH = 100;

/**
 * SQL with spaces in the place of its comments, and of literals that no statement runs, such as the bodies of
 * functions and the texts of comments. Lengths and lines stay.
 */
export function statementsOf(sql: string): string {
  return partsOf(
    sql,
    (literal, before) =>
      RUN.test(before.slice(-RUN_LENGTH)) ? withInner(literal, statementsOf) : blank(literal),
  );
}

/** SQL with spaces in the place of its comments. Literals stay: cron jobs have their names in them. */
export function withoutComments(sql: string): string {
  return partsOf(
    sql,
    (literal) => literal.startsWith("$") ? withInner(literal, withoutComments) : literal,
  );
}

/** Replaces comments by spaces, and each literal by what is made of it. */
function partsOf(sql: string, made: (literal: string, before: string) => string): string {
  let code = "";
  let at = 0;
  for (const { 0: begin, index } of sql.matchAll(PART)) {
    // It stands inside of the part before.
    if (index < at) continue;
    const end = endOf(sql, index, begin);
    const part = sql.slice(index, end);
    const before = sql.slice(at, index);
    code += before;
    if (begin === '"') code += part;
    else code += /^(--|\/\*)$/.test(begin) ? blank(part) : made(part, before);
    at = end;
  }
  return code + sql.slice(at);
}

/** Where a part ends; what is not closed reaches to the end of the text. */
function endOf(sql: string, index: number, begin: string): number {
  const from = index + begin.length;
  if (begin === "/*") return endOfComment(sql, from);
  if (/^e'/i.test(begin)) return endOfEscaped(sql, from);
  const close = begin === "--" ? "\n" : begin;
  const end = sql.indexOf(close, from);
  return end < 0 ? sql.length : end + close.length;
}

/** Comments of Postgres may hold comments. */
function endOfComment(sql: string, from: number): number {
  let depth = 1;
  const marks = /\/\*|\*\//g;
  marks.lastIndex = from;
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    depth += mark[0] === "/*" ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

/** In a literal that begins with `e'`, a backslash takes the character behind it along. */
function endOfEscaped(sql: string, from: number): number {
  const marks = /\\[^]|'/g;
  marks.lastIndex = from;
  for (let mark = marks.exec(sql); mark; mark = marks.exec(sql)) {
    if (mark[0] === "'") return marks.lastIndex;
  }
  return sql.length;
}

/** A literal whose text has been read too, between its quotes. */
function withInner(literal: string, read: (sql: string) => string): string {
  const [quote = ""] = /^(?:\$\w*\$|e?')/i.exec(literal) ?? [];
  const length = quote.startsWith("$") ? quote.length : 1;
  if (literal.length < quote.length + length) return literal;
  const inner = literal.slice(quote.length, -length);
  return quote + read(inner) + literal.slice(-length);
}

function blank(part: string): string {
  return part.replace(/[^\n]/g, " ");
}
