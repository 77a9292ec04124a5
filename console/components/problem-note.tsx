/** A problem in the API's words. */

import type { JSX } from "preact";
import type { ApiProblem } from "../api/api-problem.ts";
import { SafeText } from "../payload/safe-text.tsx";
import { Button } from "./controls.tsx";
import { Icon } from "./icon.tsx";

/** Properties of the note. */
export interface ProblemNoteProps {
  readonly problem: ApiProblem;
  /** Shows a button that tries again. */
  readonly onRetry?: () => void;
}

/** Shows a problem with each field that it names. */
export function ProblemNote({ problem, onRetry }: ProblemNoteProps): JSX.Element {
  return (
    <div class="note note-bad" role="alert">
      <Icon name="bad" />
      <div class="note-text">
        <p>
          <SafeText text={problem.message} longest={4_000} />
        </p>
        {problem.issues.length > 0 && (
          <ul>
            {problem.issues.map(({ path, message }, index) => (
              <li key={index}>
                <span class="mono">
                  <SafeText text={path.join(".")} longest={300} />
                </span>{" "}
                <SafeText text={message} longest={1_000} />
              </li>
            ))}
          </ul>
        )}
      </div>
      {onRetry && <Button onClick={onRetry} icon="reload">Try again</Button>}
    </div>
  );
}
