/** Text of a payload or an error, with the characters that a reader would not see, or that reorder others, named. */

/** A piece of a text: as it is, or a character that is shown by its name. */
export interface TextPart {
  readonly text: string;
  /** Name of the hidden character, such as `U+202E right-to-left override`; left out for plain text. */
  readonly hidden?: string;
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, "null"],
  [0x07, "bell"],
  [0x08, "backspace"],
  [0x09, "tab"],
  [0x0a, "line feed"],
  [0x0d, "carriage return"],
  [0x1b, "escape"],
  [0x7f, "delete"],
  [0xa0, "no-break space"],
  [0xad, "soft hyphen"],
  [0x61c, "Arabic letter mark"],
  [0x200b, "zero-width space"],
  [0x200c, "zero-width non-joiner"],
  [0x200d, "zero-width joiner"],
  [0x200e, "left-to-right mark"],
  [0x200f, "right-to-left mark"],
  [0x2028, "line separator"],
  [0x2029, "paragraph separator"],
  [0x202a, "left-to-right embedding"],
  [0x202b, "right-to-left embedding"],
  [0x202c, "pop directional formatting"],
  [0x202d, "left-to-right override"],
  [0x202e, "right-to-left override"],
  [0x2060, "word joiner"],
  [0x2066, "left-to-right isolate"],
  [0x2067, "right-to-left isolate"],
  [0x2068, "first strong isolate"],
  [0x2069, "pop directional isolate"],
  [0xfeff, "byte order mark"],
]);

/**
 * Control and format characters, other separators, and halves of surrogate pairs. Line feeds and tabs are text.
 * Format characters include those of direction, and the tags that can hide a text in another.
 */
const HIDDEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u00a0]/gu;

/**
 * Splits a text into plain pieces and hidden characters. Nothing of a piece can change the order or the look of
 * the pieces beside it.
 * @param text of any content; the caller bounds its length
 */
export function visibleParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    if (index > from) parts.push({ text: text.slice(from, index) });
    parts.push(hiddenPart(found));
    from = index + found.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function hiddenPart(character: string): TextPart {
  const point = character.codePointAt(0) ?? 0;
  const code = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = NAMES.get(point) ?? (character.isWellFormed() ? undefined : "half of a pair");
  return { text: code, hidden: name === undefined ? code : `${code} ${name}` };
}

/**
 * Cuts a text for a line, never between the halves of a pair.
 * @param longest in UTF-16 code units
 */
export function cutText(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? longest - 1 : longest);
}
