/** The inputs of a form's fields. */

import type { JSX, TargetedInputEvent } from "preact";
import type { ApiProblem } from "../api/api-problem.ts";
import { Field } from "../components/controls.tsx";
import type { FormField, FormTexts, ReadTexts } from "./form-fields.ts";

/** Properties of the inputs. */
export interface FormInputsProps {
  readonly fields: readonly FormField[];
  readonly texts: FormTexts;
  readonly onChange: (texts: FormTexts) => void;
  readonly errors: ReadTexts["errors"];
  /** The API's refusal; its issues stand at their fields. */
  readonly problem: ApiProblem | null;
}

/** Shows the inputs. */
export function FormInputs(
  { fields, texts, onChange, errors, problem }: FormInputsProps,
): JSX.Element {
  const refusal = (name: string) => problem?.issues.find(({ path }) => path[0] === name)?.message;
  return (
    <div class="form-row">
      {fields.map((field) => (
        <Field
          key={field.name}
          label={field.label}
          hint={field.hint}
          error={errors[field.name] ?? refusal(field.name)}
        >
          {(id, describedBy) => (
            <Input
              {...{ field, id, describedBy }}
              value={texts[field.name] ?? ""}
              onInput={(value) => onChange({ ...texts, [field.name]: value })}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

interface InputProps {
  readonly field: FormField;
  readonly id: string;
  readonly describedBy: string | undefined;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

function Input({ field, id, describedBy, value, onInput }: InputProps): JSX.Element {
  const { kind, choices = [] } = field;
  if (kind === "choice") {
    return (
      <select
        id={id}
        aria-describedby={describedBy}
        value={value}
        onChange={({ currentTarget: { value } }) => onInput(value)}
      >
        {choices.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
      </select>
    );
  }
  const common = {
    id,
    "aria-describedby": describedBy,
    spellcheck: false,
    value,
    onInput: ({ currentTarget: { value } }: TargetedInputEvent<HTMLInputElement>) => onInput(value),
  };
  if (kind === "secret") return <input type="password" autocomplete="new-password" {...common} />;
  const isNumber = kind === "number" || kind === "percent";
  return (
    <input
      {...common}
      type="text"
      class={kind === "text" || kind === "words" ? "mono" : undefined}
      inputmode={isNumber ? "decimal" : "text"}
      autocomplete="off"
    />
  );
}
