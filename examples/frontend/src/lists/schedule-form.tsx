/** The form of a schedule: how many pages, and how often. */

import { type FormEvent, type ReactNode, useId } from "react";
import type { Choice } from "./use-schedules.ts";

/** The form; `onCancel` gives it a second button. */
export function ScheduleForm({ label, action, initial, onSubmit, onCancel }: {
  readonly label: string;
  readonly action: string;
  readonly initial: Choice;
  readonly onSubmit: (choice: Choice) => void;
  readonly onCancel?: () => void;
}): ReactNode {
  const id = useId();

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    onSubmit({ pages: Number(fields.get("pages")), seconds: Number(fields.get("seconds")) });
  }

  return (
    <form
      className="schedule-form"
      aria-label={label}
      onSubmit={submit}
      onKeyDown={({ key }) => key === "Escape" && onCancel?.()}
    >
      <NumberField id={`${id}-pages`} name="pages" label="Pages" initial={initial.pages} />
      <NumberField
        id={`${id}-seconds`}
        name="seconds"
        label="Interval in s"
        initial={initial.seconds}
        // The form of a change opens at the press of a button: its user continues inside.
        autoFocus={onCancel !== undefined}
      />
      <button type="submit" className="button primary">{action}</button>
      {onCancel && <button type="button" className="button" onClick={onCancel}>Back</button>}
    </form>
  );
}

function NumberField({ id, name, label, initial, autoFocus = false }: {
  readonly id: string;
  readonly name: string;
  readonly label: string;
  readonly initial: number;
  readonly autoFocus?: boolean;
}): ReactNode {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        name={name}
        type="number"
        defaultValue={initial}
        required
        autoFocus={autoFocus}
      />
    </div>
  );
}
