/** A dialog that makes an object, or changes its settings. */

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { useDraft } from "../api/draft.ts";
import { useAction } from "../api/use-action.ts";
import { Button } from "../components/controls.tsx";
import { Dialog } from "../components/dialog.tsx";
import { ProblemNote } from "../components/problem-note.tsx";
import { type FormField, type FormTexts, isIncomplete, readTexts, toTexts } from "./form-fields.ts";
import { FormInputs } from "./form-inputs.tsx";

/** Properties of the dialog. */
export interface FormDialogProps {
  readonly title: string;
  /** Names the draft: what was typed is there again when the dialog is opened again. */
  readonly draft: string;
  /** The fields; those of a form whose fields depend on what was typed. */
  readonly fields: (texts: FormTexts) => readonly FormField[];
  /** The object as it is; null: it is to be made. */
  readonly object: object | null;
  /** Values that a new object begins with. */
  readonly initial?: FormTexts;
  /** Makes the change, with the values that differ from those before. */
  readonly onSave: (values: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly onClose: () => void;
  /** Called after `onSave`; default: it closes. */
  readonly onSaved?: () => void;
  readonly children?: ComponentChildren;
}

/** Shows the form, and keeps what was typed until it is saved or cancelled. */
export function FormDialog(props: FormDialogProps): JSX.Element {
  const { title, object, onClose, children } = props;
  const { fields, texts, errors, setTexts, clear, action, isDisabled } = useForm(props);
  const cancel = () => {
    clear();
    onClose();
  };
  return (
    <Dialog title={title} onClose={action.isRunning ? null : onClose} isWide>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isDisabled) void action.run();
        }}
      >
        {children}
        <FormInputs
          {...{ fields, texts, errors }}
          onChange={setTexts}
          problem={action.error}
        />
        {action.error && <ProblemNote problem={action.error} />}
        <div class="dialog-actions">
          <Button isDisabled={action.isRunning} onClick={cancel}>Cancel</Button>
          <Button type="submit" tone="primary" isBusy={action.isRunning} isDisabled={isDisabled}>
            {object === null ? "Create" : "Save"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The state of the form. */
function useForm(props: FormDialogProps) {
  const { draft, fields, object, initial = {}, onSave, onClose, onSaved = onClose } = props;
  const [opened] = useState(() => object === null ? initial : toTexts(fields({}), object));
  // The draft may be older than the object: only what the operator has changed since then is sent.
  const [{ before, texts }, setDraft, clear] = useDraft(draft, () => ({
    before: opened,
    texts: opened,
  }));
  const shown = fields(texts);
  const { values, errors } = readTexts(shown, texts, before);
  const action = useAction(async () => {
    await onSave(values);
    clear();
    onSaved();
  });
  const isDisabled = Object.keys(errors).length > 0 ||
    (object === null ? isIncomplete(shown, texts) : Object.keys(values).length === 0);
  const setTexts = (changed: FormTexts) => setDraft({ before, texts: changed });
  return { fields: shown, texts, errors, setTexts, clear, action, isDisabled };
}
