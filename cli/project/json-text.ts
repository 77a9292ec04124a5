/** Writes and removes one property of JSON with comments, and leaves the text around it as it is. */

import { applyEdits, type Edit, findNodeAtLocation, type Node, parseTree } from "jsonc-parser";

/** Blanks and comments up to a comma. */
const COMMA_NEXT = /^(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)*,/;

/** The text with a value at a path; objects on the way are made. @throws Error if the path leads through another value */
export function withProperty(text: string, path: readonly string[], value: unknown): string {
  const root = treeOf(text);
  const node = findNodeAtLocation(root, [...path]);
  if (node) return edited(text, [node.offset, node.length, JSON.stringify(value)]);
  const nodeAt = (depth: number) => findNodeAtLocation(root, path.slice(0, depth));
  let depth = path.length - 1;
  while (depth > 0 && !nodeAt(depth)) depth--;
  const object = nodeAt(depth);
  if (object?.type !== "object") throw new Error(`${path.slice(0, depth).join(".")}: no object`);
  const inner = path.slice(depth + 1).reduceRight<unknown>((all, name) => ({ [name]: all }), value);
  return inserted(text, object, path[depth] ?? "", inner);
}

/** The text without the property at a path. An object that it leaves empty is written as `{}`. */
export function withoutProperty(text: string, path: readonly string[]): string {
  const property = findNodeAtLocation(treeOf(text), [...path])?.parent;
  const object = property?.parent;
  if (!property || !object) return text;
  const { offset: start } = property;
  const end = start + property.length;
  const [gap = ""] = /(?:\r?\n)?[ \t]*$/.exec(text.slice(0, start)) ?? [];
  const comma = commaBehind(text, property);
  // One that stands beside others leaves the gap before it to the next.
  const from = gap.includes("\n") || comma === null ? start - gap.length : start;
  const [nextGap = ""] = comma === null ? [] : /^[ \t]*/.exec(text.slice(comma + 1)) ?? [];
  const to = comma === null ? end : comma + 1 + (from === start ? nextGap.length : 0);
  const previous = object.children?.[object.children.indexOf(property) - 1];
  const separator = comma === null && previous ? commaBehind(text, previous) : null;
  const shorter = edited(
    text,
    ...(separator === null ? [] : [[separator, 1, ""] as const]),
    [from, to - from, ""],
  );
  const [blank = ""] = /^\{\s*\}/.exec(shorter.slice(object.offset)) ?? [];
  return blank === "" ? shorter : edited(shorter, [object.offset, blank.length, "{}"]);
}

function treeOf(text: string): Node {
  const root = parseTree(text, [], { allowTrailingComma: true });
  if (root?.type !== "object") throw new Error("it is no object");
  return root;
}

/** Behind the last property and its comments, on a line of its own unless the object's properties share one. */
function inserted(text: string, object: Node, name: string, value: unknown): string {
  const close = object.offset + object.length - 1;
  const last = object.children?.at(-1);
  const lastEnd = last ? last.offset + last.length : object.offset + 1;
  const comma = last ? commaBehind(text, last) : null;
  const separate = last && comma === null ? [[lastEnd, 0, ","] as const] : [];
  const tail = comma === null ? "" : ",";
  const contentEnd = lastEnd + text.slice(lastEnd, close).trimEnd().length;
  const isOneLine = !text.slice(object.offset, close).includes("\n");
  const colon = /":\S/.test(text) ? ":" : ": ";
  const key = JSON.stringify(name);
  if (isOneLine && (last || (object.parent && !text.trim().includes("\n")))) {
    const entry = key + colon + JSON.stringify(value) + tail;
    return edited(text, ...separate, [contentEnd, 0, (last ? colon.slice(1) : "") + entry]);
  }
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const unit = unitOf(text);
  const outer = indentAt(text, object.offset);
  const indent = last ? indentAt(text, last.offset) : outer + unit;
  const lines = JSON.stringify(value, null, unit).replaceAll("\n", eol + indent);
  const entry = `${eol}${indent}${key}: ${lines}${tail}`;
  return edited(text, ...separate, [contentEnd, 0, isOneLine ? entry + eol + outer : entry]);
}

/** The offset of the comma that follows a node; null if none does. */
function commaBehind(text: string, { offset, length }: Node): number | null {
  const found = COMMA_NEXT.exec(text.slice(offset + length));
  return found && offset + length + found[0].length - 1;
}

/** One level of indent, as the text has it. */
function unitOf(text: string): string {
  const [, indent = "  "] = /\n([ \t]+)\S/.exec(text) ?? [];
  return indent.startsWith("\t") ? "\t" : indent;
}

/** The blanks that begin the line at an offset. */
function indentAt(text: string, offset: number): string {
  const [, indent = ""] = /(?:^|\n)([ \t]*)[^\n]*$/.exec(text.slice(0, offset)) ?? [];
  return indent;
}

function edited(text: string, ...edits: readonly (readonly [number, number, string])[]): string {
  return applyEdits(
    text,
    edits.map(([offset, length, content]): Edit => ({ offset, length, content })),
  );
}
