/** A payload as JSON to be typed, with the issues of its schema and the way to the place of each. */

import type { JSX } from "preact";
import { useId, useRef } from "preact/hooks";
import { offsetOf, type PlacedIssue, type ReadDraft } from "../../payload/payload-draft.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import type { EditorDraft } from "./editor-draft.ts";

/** Properties of the text. */
export interface PayloadTextProps {
  readonly draft: EditorDraft;
  readonly onChange: (draft: EditorDraft) => void;
  readonly read: ReadDraft;
  readonly issues: readonly PlacedIssue[];
}

/** Longest text whose lines are broken at the edge. */
const LONGEST_WRAPPED = 50_000;
/** Most issues that are listed. */
const MOST = 20;

/** Shows the text. */
export function PayloadText({ draft, onChange, read, issues }: PayloadTextProps): JSX.Element {
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const { text } = draft;
  const isWrong = "problem" in read || issues.length > 0;
  const lines = text.length > 100_000 ? 30 : text.split("\n").length;
  const select = (offset: number) => {
    const area = input.current;
    if (!area) return;
    area.focus();
    area.setSelectionRange(offset, endOf(text, offset));
    const line = text.slice(0, offset).split("\n").length;
    area.scrollTop = Math.max(0, line - 3) * (area.scrollHeight / Math.max(1, lines));
  };
  return (
    <div class={`field${isWrong ? " field-wrong" : ""}`}>
      <label for={id}>Payload as JSON</label>
      <textarea
        ref={input}
        id={id}
        class="mono payload-text"
        rows={Math.min(30, Math.max(6, lines + 1))}
        // To break a line of 1 MB takes the browser seconds.
        wrap={text.length > LONGEST_WRAPPED ? "off" : "soft"}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={isWrong}
        aria-describedby={isWrong ? `${id}-issues` : undefined}
        value={text}
        onInput={(event) => onChange({ ...draft, unread: {}, text: event.currentTarget.value })}
      />
      <Issues id={`${id}-issues`} {...{ text, read, issues }} onSelect={select} />
    </div>
  );
}

interface IssuesProps {
  readonly id: string;
  readonly text: string;
  readonly read: ReadDraft;
  readonly issues: readonly PlacedIssue[];
  /** Goes to a place in the text. */
  readonly onSelect: (offset: number) => void;
}

function Issues({ id, text, read, issues, onSelect }: IssuesProps): JSX.Element {
  return (
    <ul class="issues" id={id}>
      {"problem" in read && <li class="field-error">{read.problem}</li>}
      {issues.slice(0, MOST).map(({ path, message }, index) => {
        const offset = offsetOf(text, path);
        return (
          <li key={index} class="field-error">
            <button type="button" class="issue-place" onClick={() => onSelect(offset)}>
              line {text.slice(0, offset).split("\n").length}
            </button>{" "}
            <span class="mono">
              <SafeText text={path.join(".") || "payload"} longest={200} />
            </span>{" "}
            <SafeText text={message} longest={500} />
          </li>
        );
      })}
      {issues.length > MOST && <li class="muted">and {issues.length - MOST} more</li>}
    </ul>
  );
}

/** The end of the value that begins here, as far as its line. */
function endOf(text: string, offset: number): number {
  const line = text.slice(offset).split("\n", 1)[0] ?? "";
  return offset + line.replace(/,\s*$/, "").length;
}
