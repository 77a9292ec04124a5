/**
 * Finds what people read in a source file: comments and texts in TypeScript and SQL, and all of a Markdown
 * page. Code between two pieces of prose stays as CODE, so that no sentence runs through it.
 */

import ts from "typescript";
import { basename } from "node:path";

/** Stands for each character of code. */
export const CODE = "\0";

/**
 * Returns a text of the same lines as the file, in which only prose is left. Marks of comments are blank,
 * so that a sentence of several lines can be read as one.
 */
export function proseOf(path: string, text: string): string {
  if (path.endsWith(".ts") || path.endsWith(".tsx")) return proseOfTypeScript(path, text);
  if (path.endsWith(".sql")) return text.replace(/^(\s*)--/gm, "$1  ");
  return text;
}

/** Returns the words of a file's name. The name of a pgTAP test is that of its file, `returns_the_whole_row.sql`. */
export function wordsOfName(path: string): string {
  const [name = ""] = basename(path).split(".");
  return name.replace(/[_-]/g, " ");
}

function proseOfTypeScript(path: string, text: string): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const shown = new Uint8Array(text.length);
  const show = (from: number, to: number) => shown.fill(1, from, to);
  const visit = (node: ts.Node): void => {
    const comments = [
      ...ts.getLeadingCommentRanges(text, node.pos) ?? [],
      ...ts.getTrailingCommentRanges(text, node.pos) ?? [],
    ];
    for (const { pos, end } of comments) show(pos, end);
    if (isText(node)) show(node.getStart(source) + 1, node.end - 1);
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  let prose = "";
  for (const [index, character] of text.split("").entries()) {
    prose += shown[index] || /\s/.test(character) ? character : CODE;
  }
  const blank = (_: string, before: string, mark: string) => before + " ".repeat(mark.length);
  return prose.replace(/^([\s\0]*)(\/\*\*?|\*\/|\*|\/\/)/gm, blank).replace(/()(\*\/)/g, blank);
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) ||
    ts.isTemplateTail(node) || ts.isJsxText(node);
}
