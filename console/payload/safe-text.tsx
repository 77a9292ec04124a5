/** Text of a payload, an error or a name: never markup, and with its hidden characters shown. */

import type { ComponentChildren, JSX } from "preact";
import { cutText, visibleParts } from "./visible-text.ts";

/** Properties of the text. */
export interface SafeTextProps {
  readonly text: string;
  /** Longest part that is shown, in UTF-16 code units; default: all of it. */
  readonly longest?: number;
}

/** Shows a text from outside, apart from the direction of the texts beside it. */
export function SafeText({ text, longest = Infinity }: SafeTextProps): JSX.Element {
  const shown = cutText(text, longest);
  return (
    <bdi class="safe-text">
      {safeContent(shown)}
      {shown.length < text.length && "…"}
    </bdi>
  );
}

/**
 * The content of an element whose style isolates its direction, `unicode-bidi: isolate`: thousands of rows need no
 * element of their own for it.
 */
export function safeContent(text: string): ComponentChildren {
  return visibleParts(text).map(({ text, hidden }, index) =>
    hidden === undefined
      ? text
      : <span key={index} class="hidden-character" title={hidden}>{text}</span>
  );
}
