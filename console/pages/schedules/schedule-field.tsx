/** One field of the form of a schedule. */

import type { JSX } from "preact";
import { Field } from "../../components/controls.tsx";
import type { FieldErrors, ScheduleField, ScheduleTexts } from "./schedule-form-model.ts";

/** The form, as its parts see it. */
export interface ScheduleFormParts {
  readonly texts: ScheduleTexts;
  readonly set: (changes: Partial<ScheduleTexts>) => void;
  readonly errors: FieldErrors;
}

/** Properties of a text field. */
export interface TextFieldProps extends ScheduleFormParts {
  readonly field: ScheduleField;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly placeholder?: string;
  readonly isMono?: boolean;
  readonly inputType?: "text" | "datetime-local";
  /** Values that it offers. */
  readonly offers?: readonly string[];
  readonly isDisabled?: boolean;
}

/** A text. */
export function TextField(props: TextFieldProps): JSX.Element {
  const { texts, set, errors, field, label, hint, placeholder, isMono, inputType, offers } = props;
  return (
    <Field label={label} hint={hint} error={errors[field]}>
      {(id, describedBy) => (
        <>
          <input
            id={id}
            name={field}
            type={inputType ?? "text"}
            step={inputType === "datetime-local" ? 1 : undefined}
            class={isMono ? "mono" : undefined}
            autocomplete="off"
            spellcheck={false}
            placeholder={placeholder}
            disabled={props.isDisabled}
            aria-describedby={describedBy}
            aria-invalid={errors[field] !== undefined}
            list={offers ? `${id}-offers` : undefined}
            value={texts[field]}
            onInput={(event) => set({ [field]: event.currentTarget.value })}
          />
          {offers && (
            <datalist id={`${id}-offers`}>
              {offers.map((offer) => <option key={offer} value={offer} />)}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

/** Properties of a choice. */
export interface ChoiceFieldProps extends ScheduleFormParts {
  readonly field: ScheduleField;
  readonly label: string;
  readonly choices: readonly (readonly [value: string, words: string])[];
}

/** One of a few values. */
export function ChoiceField({ texts, set, errors, field, label, choices }: ChoiceFieldProps) {
  return (
    <Field label={label} error={errors[field]}>
      {(id, describedBy) => (
        <select
          id={id}
          name={field}
          aria-describedby={describedBy}
          value={texts[field]}
          onChange={(event) => set({ [field]: event.currentTarget.value })}
        >
          {choices.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
      )}
    </Field>
  );
}
