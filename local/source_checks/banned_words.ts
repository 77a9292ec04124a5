/**
 * The words that this project's prose does without. Each has a plainer equal: "30 s by default", "again",
 * "continues", "the rest", and a sentence whose subject is named.
 */

/** One use of a banned word. */
export interface BannedWord {
  /** The line, from 1. */
  readonly line: number;
  /** The words as they are written there. */
  readonly words: string;
}

const BANNED: readonly RegExp[] = [
  /\bso\s+many\b/gi,
  /\bwhere\s+absent\b/gi,
  /\banew\b/gi,
  /\b(?:goes|go)\s+on\b/gi,
  /\bwhat\s+is\s+left\b/gi,
  // Polls, scans, reads and checks.
  /\b(?:a|each|every|first|full|next|one|such)\s+look\b(?!-)/gi,
  /\blookouts?\b/gi,
  // The Unix user `nobody` is a name: it stands in backticks, or is all of a text.
  /(?<!`)(?!(?<=\0)nobody\0)\b(?:nobody|whoever)\b/gi,
  // Where: "by hand in the dashboard".
  /\bby\s+hand\b(?!\s+(?:in|on|with|over|through)\b)/gi,
  // A sentence that begins so must be a question.
  /\b(?:Who|What)\b(?![^.!?\0]*\?)/g,
];

/** Functions return; servers answer. */
const ANSWERS = /\banswers\b/gi;
/** Folders and files whose subject is HTTP. */
const HTTP_PATHS =
  /^(client|docs)\/|symphony\/(http|management|edge\.ts)|functions\/(dispatch|tick|messenger)\//;
const HTTP_WORDS = /\bHTTP\b|\b[1-5]\d\d\b|\brequests?\b|\bservers?\b|\bgateway\b|\bPostgREST\b/;

/** Finds the banned words of a file's prose, in order. */
export function findBannedWords(path: string, prose: string): BannedWord[] {
  const matches = BANNED.flatMap((pattern) => [...prose.matchAll(pattern)]);
  if (!HTTP_PATHS.test(path)) {
    const others = [...prose.matchAll(ANSWERS)];
    matches.push(...others.filter(({ index }) => !HTTP_WORDS.test(sentenceAt(prose, index))));
  }
  return matches.sort((a, b) => a.index - b.index).map(({ 0: words, index }) => ({
    line: prose.slice(0, index).split("\n").length,
    words: words.replace(/\s+/g, " "),
  }));
}

function sentenceAt(prose: string, index: number): string {
  const [before = ""] = /[^.!?\0]*$/.exec(prose.slice(0, index)) ?? [];
  const [after = ""] = /^[^.!?\0]*/.exec(prose.slice(index)) ?? [];
  return before + after;
}
