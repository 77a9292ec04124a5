/** A state as a word, a sign and a colour. */

import type { ReactNode } from "react";
import { Icon } from "./icons.tsx";
import type { Words } from "./words.ts";

/** A badge. `label` says what the word is about, for those who hear it. */
export function Badge(
  { words: { word, tone, sign }, label }: { readonly words: Words; readonly label?: string },
): ReactNode {
  return (
    <span className={`badge tone-${tone}`}>
      <Icon name={sign} />
      {label && <span className="visually-hidden">{label}:</span>}
      {word}
    </span>
  );
}
