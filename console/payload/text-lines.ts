/** A long text as lines of bounded length, so that a list can show any part of it without laying out the rest. */

/** A line on the screen. */
export interface TextLine {
  /** Number of the line in the text, from 1; null for what continues the line before. */
  readonly number: number | null;
  readonly text: string;
}

/**
 * Cuts a text at its line feeds, and lines that are longer than `columns` into several.
 * @param text of any length
 * @param columns longest line, in UTF-16 code units
 */
export function linesOf(text: string, columns: number): TextLine[] {
  const lines: TextLine[] = [];
  text.split("\n").forEach((line, index) => {
    let from = 0;
    do {
      const to = endOf(line, from + columns);
      lines.push({ number: from === 0 ? index + 1 : null, text: line.slice(from, to) });
      from = to;
    } while (from < line.length);
  });
  return lines;
}

/** Never between the halves of a surrogate pair. */
function endOf(line: string, end: number): number {
  if (end >= line.length) return line.length;
  const last = line.charCodeAt(end - 1);
  return last >= 0xd800 && last < 0xdc00 ? end + 1 : end;
}
