/** Text of a payload, an error or a name: never markup, and with its hidden characters shown. */

import type { JSX } from "preact";
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
      {visibleParts(shown).map(({ text, hidden }, index) =>
        hidden === undefined
          ? text
          : <span key={index} class="hidden-character" title={hidden}>{text}</span>
      )}
      {shown.length < text.length && "…"}
    </bdi>
  );
}
