/** Compares a file of generated types with what the definitions say now. Pure. */

import { MESSAGES_NAME } from "./generated-text.ts";

/** How a file differs. All empty: it does not. */
export interface Drift {
  /** Types of messages that the file lacks. */
  readonly added: readonly string[];
  /** Types that are no longer there, or no longer open to users. */
  readonly removed: readonly string[];
  readonly changed: readonly string[];
  /** Whether something beside the messages differs, such as a type that several refer to. */
  readonly others: boolean;
}

/**
 * Compares two texts. How a formatter lays them out does not count.
 * @param before the file's
 * @param now the one that would be written
 */
export function driftBetween(before: string, now: string): Drift {
  const [old, next] = [partsOf(before), partsOf(now)];
  return {
    added: [...next.members.keys()].filter((type) => !old.members.has(type)),
    removed: [...old.members.keys()].filter((type) => !next.members.has(type)),
    changed: [...next.members].filter(([type, text]) =>
      old.members.has(type) && old.members.get(type) !== text
    ).map(([type]) => type),
    others: old.rest !== next.rest,
  };
}

/** Says which types changed: `+ New, - Gone, ~ Changed`; empty if none did. */
export function describeDrift({ added, removed, changed, others }: Drift): string {
  return [
    ...added.map((type) => `+ ${type}`),
    ...removed.map((type) => `- ${type}`),
    ...changed.map((type) => `~ ${type}`),
    ...others ? ["~ shared types"] : [],
  ].join(", ");
}

interface Parts {
  /** Each member of the interface of messages, without its layout. */
  readonly members: ReadonlyMap<string, string>;
  readonly rest: string;
}

const OPENING = new RegExp(`export interface ${MESSAGES_NAME}\\s*\\{`);
/** A comment, a text, or one character. */
const TOKEN = /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^]/g;

function partsOf(text: string): Parts {
  const opening = OPENING.exec(text);
  if (!opening) return { members: new Map(), rest: withoutLayout(text) };
  const start = opening.index + opening[0].length;
  const members = new Map<string, string>();
  let [depth, member, name, end] = [1, "", "", text.length];
  TOKEN.lastIndex = start;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const [token] = match;
    if ("{[(".includes(token)) depth++;
    if ("}])".includes(token)) depth--;
    if (depth === 0) {
      end = match.index;
      break;
    }
    // A comment before the name belongs to the member.
    if (token === ":" && depth === 1) name ||= nameIn(member);
    member += token;
    if (depth > 1 || token !== "}" || name === "") continue;
    members.set(name, withoutLayout(member));
    [member, name] = ["", ""];
  }
  return { members, rest: withoutLayout(text.slice(0, start) + text.slice(end)) };
}

/** The name of a member, from the text before its colon. */
function nameIn(text: string): string {
  const [, name = ""] = /((?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s;,"'{}])+)\s*$/.exec(text) ??
    [];
  return name.replace(/^(["'])(.*)\1$/, "$2");
}

/** A text without what formatters change: spaces, signs between members, the kind of quotes, a leading `|`. */
function withoutLayout(text: string): string {
  return text.replace(/[\s;,\\]/g, "").replaceAll("'", '"').replace(/([:=(<[{>])\|/g, "$1");
}
