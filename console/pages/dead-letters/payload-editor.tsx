/** Edits the payload of a dead letter, checks it against the schema while it is typed, and redrives it. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Schemas } from "../../api/api-client.ts";
import { OptionFields } from "../../bulk/option-fields.tsx";
import { Button } from "../../components/controls.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { issuesOf } from "../../payload/payload-draft.ts";
import { namesOf } from "./dead-letter-buttons.tsx";
import { PayloadFields } from "./payload-fields.tsx";
import { PayloadText } from "./payload-text.tsx";
import { useEditor } from "./use-editor.ts";
import type { PayloadCheck } from "./use-payload-check.ts";

/** Properties of the editor. */
export interface PayloadEditorProps {
  readonly letter: Schemas["FailedMessage"];
  /** Called after the redrive. */
  readonly onDone: () => void;
}

/** Shows the editor. The typed text stays until the redrive has succeeded. */
export function PayloadEditor({ letter, onDone }: PayloadEditorProps): JSX.Element {
  const editor = useEditor(letter, onDone);
  const { draft, setDraft, read, fields, problems, check, redrive } = editor;
  const [wantsText, setWantsText] = useState(false);
  const showsText = wantsText || fields === null;
  return (
    <form
      class="panel editor"
      onSubmit={(event) => {
        event.preventDefault();
        void redrive.run();
      }}
    >
      <EditorHeader showsText={showsText} hasFields={fields !== null} onChange={setWantsText} />
      <div class="editor-body">
        {fields === null || wantsText
          ? <PayloadText draft={draft} onChange={setDraft} read={read} issues={check.issues} />
          : (
            <PayloadFields
              draft={draft}
              onChange={setDraft}
              fields={fields}
              issues={check.issues}
            />
          )}
        <OptionFields
          options={draft.options}
          problems={problems}
          onChange={(options) => setDraft({ ...draft, options })}
          isOfOne
          steps={namesOf(letter.steps)}
        />
        <CheckNote check={check} hidesIssues={showsText} />
        {redrive.error && redrive.error.issues.length === 0 && (
          <ProblemNote problem={redrive.error} />
        )}
      </div>
      <EditorFooter editor={editor} />
    </form>
  );
}

interface EditorHeaderProps {
  readonly showsText: boolean;
  readonly hasFields: boolean;
  readonly onChange: (wantsText: boolean) => void;
}

function EditorHeader({ showsText, hasFields, onChange }: EditorHeaderProps): JSX.Element {
  return (
    <header class="panel-header">
      <h2>Edit the payload</h2>
      <span class="panel-space" />
      <div class="switch" role="group" aria-label="Edit as">
        <Button
          tone="quiet"
          isPressed={!showsText}
          isDisabled={!hasFields}
          onClick={() => onChange(false)}
        >
          Fields
        </Button>
        <Button tone="quiet" isPressed={showsText} onClick={() => onChange(true)}>JSON</Button>
      </div>
    </header>
  );
}

function EditorFooter({ editor }: { readonly editor: ReturnType<typeof useEditor> }): JSX.Element {
  const { hasChanged, clearDraft, redrive, isReadable, check } = editor;
  return (
    <footer class="panel-footer">
      <Button isDisabled={!hasChanged} onClick={clearDraft}>Undo the changes</Button>
      <Button
        type="submit"
        tone="primary"
        icon="reload"
        isBusy={redrive.isRunning}
        isDisabled={!isReadable || check.issues.length > 0}
      >
        Redrive with this payload
      </Button>
    </footer>
  );
}

/** Says whether the payload fits; issues of fields stand at the fields. */
function CheckNote(
  { check, hidesIssues }: { readonly check: PayloadCheck; readonly hidesIssues: boolean },
): JSX.Element {
  const { state, issues, problem } = check;
  const ofAll = hidesIssues ? [] : issuesOf(issues, "");
  return (
    <div class="editor-check" role="status">
      {state === "checking" && <span class="muted">checking …</span>}
      {state === "fits" && <span class="check-ok">It fits the schema.</span>}
      {state === "refused" && issues.length > 0 && (
        <span class="field-error">
          {issues.length === 1 ? "One issue" : `${issues.length} issues`}: it does not fit the
          schema.
          {ofAll.map((text) => ` ${text}`)}
        </span>
      )}
      {problem && issues.length === 0 && <ProblemNote problem={problem} />}
    </div>
  );
}
