/** The fields of a queue's settings. */

import type { JSX } from "preact";
import type { ApiProblem } from "../../api/api-problem.ts";
import { Field } from "../../components/controls.tsx";
import { type ReadSettings, SETTING_FIELDS, type SettingTexts } from "./queue-settings-model.ts";

/** Properties of the fields. */
export interface QueueSettingsFieldsProps {
  readonly texts: SettingTexts;
  readonly onChange: (texts: SettingTexts) => void;
  readonly errors: ReadSettings["errors"];
  /** The API's refusal; its issues stand at their fields. */
  readonly problem: ApiProblem | null;
}

/** Shows the fields. */
export function QueueSettingsFields(
  { texts, onChange, errors, problem }: QueueSettingsFieldsProps,
): JSX.Element {
  const refusal = (name: string) => problem?.issues.find(({ path }) => path[0] === name)?.message;
  return (
    <div class="form-row">
      {SETTING_FIELDS.map(({ name, label, hint }) => (
        <Field key={name} label={label} hint={hint} error={errors[name] ?? refusal(name)}>
          {(id, describedBy) => (
            <input
              id={id}
              aria-describedby={describedBy}
              inputmode="decimal"
              autocomplete="off"
              value={texts[name]}
              onInput={({ currentTarget: { value } }) => onChange({ ...texts, [name]: value })}
            />
          )}
        </Field>
      ))}
      <Field label="Runs on" hint="Ticks of the function, or resident workers only">
        {(id, describedBy) => (
          <select
            id={id}
            aria-describedby={describedBy}
            value={texts.runsOn}
            onChange={({ currentTarget: { value } }) => onChange({ ...texts, runsOn: value })}
          >
            <option value="tick">ticks and workers</option>
            <option value="worker">workers only</option>
          </select>
        )}
      </Field>
    </div>
  );
}
