/** The note about a link whose filter cannot be read. */

import type { JSX } from "preact";
import { Icon } from "../components/icon.tsx";
import { SafeText } from "../payload/safe-text.tsx";

/** Properties of the note. */
export interface FilterProblemsProps {
  /** From `useFilterProblems`. */
  readonly problems: readonly string[];
}

/** Says that the list shows more than the address asks for; nothing if all of the address can be read. */
export function FilterProblems({ problems }: FilterProblemsProps): JSX.Element | null {
  if (problems.length === 0) return null;
  return (
    <div class="note note-warn" role="alert">
      <Icon name="warn" />
      <div class="note-text">
        <p>The list is wider than this address asks for: a part of its filter cannot be read.</p>
        <ul>
          {problems.map((problem) => (
            <li key={problem}>
              <SafeText text={problem} longest={300} />
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
