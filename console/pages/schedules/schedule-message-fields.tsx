/** The message that a schedule dispatches. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Field } from "../../components/controls.tsx";
import { useApi } from "../../shell/session.tsx";
import { type ScheduleFormParts, TextField } from "./schedule-field.tsx";

/** Properties of the fields. */
export interface MessageFieldsProps extends ScheduleFormParts {
  readonly hasFixedType: boolean;
}

/** The fields. */
export function MessageFields({ hasFixedType, ...form }: MessageFieldsProps): JSX.Element {
  const api = useApi();
  const types = useResource("types", (signal) => answerOf(api.GET("/types", { signal })), {
    everyMs: null,
  });
  const known = types.data?.types ?? [];
  const type = known.find(({ type }) => type === form.texts.type.trim());
  return (
    <fieldset class="card">
      <legend>What it dispatches</legend>
      <div class="form-row">
        <TextField
          {...form}
          field="type"
          label="Message type"
          hint={hasFixedType
            ? "It stays as it is"
            : type
            ? `Runs in the queue ${type.queue}`
            : undefined}
          offers={known.map(({ type }) => type)}
          isDisabled={hasFixedType}
        />
        <TextField
          {...form}
          field="name"
          label="Name"
          hint="Saving a schedule of the same name changes that one"
          placeholder="digest"
        />
      </div>
      <PayloadField {...form} />
    </fieldset>
  );
}

function PayloadField({ texts, set, errors }: ScheduleFormParts): JSX.Element {
  return (
    <Field label="Payload, as JSON" error={errors.payload}>
      {(id, describedBy) => (
        <textarea
          id={id}
          name="payload"
          class="mono"
          rows={6}
          spellcheck={false}
          aria-describedby={describedBy}
          aria-invalid={errors.payload !== undefined}
          value={texts.payload}
          onInput={(event) => set({ payload: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}
