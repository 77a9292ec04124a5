/** Texts of others on a terminal: errors of handlers, group keys and payloads may hold what a terminal obeys. */

/** C0 and C1 but tab and the ends of lines, and characters that turn the direction of a text around. */
const OBEYED =
  // deno-lint-ignore no-control-regex
  /\r(?!\n)|[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The text with escapes such as `\\u001b` in place of control characters. JSON stays the same value. */
export function visible(text: string): string {
  return text.replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
