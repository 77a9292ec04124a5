/** A payload field by field, each with the issues that the schema has with it. */

import type { JSX } from "preact";
import { useId } from "preact/hooks";
import { Button } from "../../components/controls.tsx";
import type { Json } from "../../payload/json-rows.ts";
import {
  type DraftField,
  draftOf,
  issuesOf,
  type PlacedIssue,
  readDraft,
  withDraftField,
} from "../../payload/payload-draft.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import type { EditorDraft } from "./editor-draft.ts";

/** Properties of the form. */
export interface PayloadFieldsProps {
  readonly draft: EditorDraft;
  readonly onChange: (draft: EditorDraft) => void;
  readonly fields: readonly DraftField[];
  readonly issues: readonly PlacedIssue[];
}

/** Shows the fields of the payload, and those of the schema that it lacks. */
export function PayloadFields(
  { draft, onChange, fields, issues }: PayloadFieldsProps,
): JSX.Element {
  const read = readDraft(draft.text);
  const payload: Json = "value" in read ? read.value : {};
  const names = new Set(fields.map(({ name }) => name));
  // A required field that neither the payload nor the schema's properties have.
  const missing = issues.map(({ path }) => String(path[0] ?? ""))
    .filter((name) => name !== "" && !names.has(name));
  const lacking = [...new Set(missing)].map((name): DraftField => ({
    ...{ name, kind: "json", text: null, hint: "" },
  }));
  const set = (field: DraftField, text: string | null) => {
    const { [field.name]: _, ...unread } = draft.unread;
    const changed = withDraftField(payload, field, text);
    onChange(
      "problem" in changed
        ? { ...draft, unread: { ...unread, [field.name]: text ?? "" } }
        : { ...draft, unread, text: draftOf(changed.value) },
    );
  };
  return (
    <div class="payload-fields">
      {[...fields, ...lacking].map((field) => (
        <PayloadField
          key={field.name}
          field={field}
          unread={draft.unread[field.name]}
          errors={[
            ...(draft.unread[field.name] === undefined ? [] : ["is no JSON"]),
            ...issuesOf(issues, field.name),
          ]}
          onSet={(text) => set(field, text)}
        />
      ))}
    </div>
  );
}

interface PayloadFieldProps {
  readonly field: DraftField;
  /** Its text if that is no JSON yet. */
  readonly unread: string | undefined;
  readonly errors: readonly string[];
  readonly onSet: (text: string | null) => void;
}

function PayloadField({ field, unread, errors, onSet }: PayloadFieldProps): JSX.Element {
  const id = useId();
  const { name, hint, text } = field;
  const isThere = text !== null || unread !== undefined;
  const isWrong = errors.length > 0;
  const describedBy = [hint && `${id}-hint`, isWrong && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class={`field payload-field${isWrong ? " field-wrong" : ""}`}>
      <FieldLabel id={id} field={field} />
      <div class="payload-input">
        {isThere
          ? (
            <FieldInput
              id={id}
              field={field}
              value={unread ?? text ?? ""}
              isWrong={isWrong}
              describedBy={describedBy || undefined}
              onSet={onSet}
            />
          )
          : <span class="muted payload-absent" id={id}>not given</span>}
        {isThere
          ? (
            <Button
              tone="quiet"
              icon="trash"
              label={`Remove ${name}`}
              onClick={() => onSet(null)}
            />
          )
          : (
            <Button icon="plus" label={`Add ${name}`} onClick={() => onSet(emptyOf(field))}>
              Add
            </Button>
          )}
      </div>
      {isWrong && (
        <p class="field-error" id={`${id}-error`}>
          <SafeText text={errors.join("; ")} longest={1_000} />
        </p>
      )}
    </div>
  );
}

function FieldLabel(
  { id, field: { name, hint } }: { readonly id: string; readonly field: DraftField },
): JSX.Element {
  return (
    <label for={id}>
      <SafeText text={name} longest={200} />
      {hint && (
        <span class="field-hint" id={`${id}-hint`}>
          <SafeText text={hint} longest={200} />
        </span>
      )}
    </label>
  );
}

function emptyOf({ kind }: DraftField): string {
  if (kind === "text") return "";
  return kind === "flag" ? "false" : "null";
}

interface FieldInputProps {
  readonly id: string;
  readonly field: DraftField;
  readonly value: string;
  readonly isWrong: boolean;
  readonly describedBy: string | undefined;
  readonly onSet: (text: string) => void;
}

function FieldInput({ id, field, value, isWrong, describedBy, onSet }: FieldInputProps) {
  const common = { id, "aria-invalid": isWrong, "aria-describedby": describedBy };
  if (field.kind === "flag") {
    return (
      <select {...common} value={value} onChange={(event) => onSet(event.currentTarget.value)}>
        <option value="true">true</option>
        <option value="false">false</option>
      </select>
    );
  }
  // A line of its own input would drop the line feeds of its value.
  const lines = Math.min(12, value.split("\n").length + Math.floor(value.length / 90));
  return (
    <textarea
      {...common}
      class="mono"
      rows={Math.max(1, lines)}
      autocomplete="off"
      spellcheck={false}
      value={value}
      onInput={(event) => onSet(event.currentTarget.value)}
    />
  );
}
