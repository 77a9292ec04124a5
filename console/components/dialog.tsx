/** Dialogs: the browser's own, which hold the focus and close with Esc. */

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useAction } from "../api/use-action.ts";
import { SafeText } from "../payload/safe-text.tsx";
import { Button, Field } from "./controls.tsx";
import { ProblemNote } from "./problem-note.tsx";

/** Properties of a dialog. */
export interface DialogProps {
  readonly title: string;
  /** Called when it is to close; null: it stays until its cause is gone. */
  readonly onClose: (() => void) | null;
  readonly isWide?: boolean;
  readonly children: ComponentChildren;
}

/** A dialog, open as long as it is rendered. */
export function Dialog({ title, onClose, isWide, children }: DialogProps): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      class={isWide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      onClose={() => {
        // Browsers close it at a second Esc, whatever the first one was told.
        if (onClose) onClose();
        else element.current?.showModal();
      }}
    >
      <header class="dialog-header">
        <h2 id={titleId}>
          <SafeText text={title} longest={300} />
        </h2>
        {onClose && <Button tone="quiet" icon="close" label="Close" onClick={onClose} />}
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** Properties of a question. */
export interface ConfirmProps {
  readonly title: string;
  /** Says what will happen. */
  readonly children: ComponentChildren;
  /** The words on the button: a verb. */
  readonly verb: string;
  readonly isDangerous?: boolean;
  /** A text that has to be typed before the button works, such as a queue's name. */
  readonly typed?: string;
  /** The change; the dialog closes when it succeeded and shows the error otherwise. */
  readonly onConfirm: () => Promise<void>;
  readonly onClose: () => void;
}

/** Asks before a change. */
export function Confirm(
  { title, children, verb, isDangerous, typed, onConfirm, onClose }: ConfirmProps,
): JSX.Element {
  const action = useAction(onConfirm);
  const [text, setText] = useState("");
  // A change that is under way is not taken back by a closed dialog, and its failure would be told nowhere.
  return (
    <Dialog title={title} onClose={action.isRunning ? null : onClose}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (typed !== undefined && text !== typed) return;
          if (await action.run()) onClose();
        }}
      >
        <div>{children}</div>
        {typed !== undefined && (
          <Field label={`Type ${typed} to confirm`}>
            {(id) => (
              <input
                id={id}
                class="mono"
                autocomplete="off"
                spellcheck={false}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            )}
          </Field>
        )}
        {action.error && <ProblemNote problem={action.error} />}
        <div class="dialog-actions">
          <Button isDisabled={action.isRunning} onClick={onClose}>Cancel</Button>
          <Button
            type="submit"
            tone={isDangerous ? "danger" : "primary"}
            isBusy={action.isRunning}
            isDisabled={typed !== undefined && text !== typed}
          >
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
