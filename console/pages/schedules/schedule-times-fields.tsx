/** When a schedule runs: by cron, at an interval, or once. */

import type { JSX } from "preact";
import { Button } from "../../components/controls.tsx";
import { type ScheduleFormParts, TextField } from "./schedule-field.tsx";
import { type Kind, momentOf } from "./schedule-form-model.ts";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["cron", "Cron expression"],
  ["interval", "Interval"],
  ["once", "Once"],
];

const PRESETS: readonly (readonly [cron: string, words: string])[] = [
  ["*/15 * * * *", "every 15 min"],
  ["0 * * * *", "hourly"],
  ["0 9 * * *", "daily at 9"],
  ["0 9 * * 1-5", "weekdays at 9"],
  ["0 0 1 * *", "monthly"],
];

const ZONES: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone")];

/** The fields. */
export function TimesFields(form: ScheduleFormParts): JSX.Element {
  const { texts, set, errors } = form;
  return (
    <fieldset class="card">
      <legend>When it runs</legend>
      <div class="kinds" role="radiogroup" aria-label="Kind of schedule">
        {KINDS.map(([kind, words]) => (
          <label key={kind} class="kind">
            <input
              type="radio"
              name="kind"
              value={kind}
              checked={texts.kind === kind}
              onChange={() => set({ kind })}
            />
            {words}
          </label>
        ))}
      </div>
      {errors.kind && <p class="field-error">{errors.kind}</p>}
      {texts.kind === "cron" && <CronFields {...form} />}
      {texts.kind === "interval" && (
        <TextField
          {...form}
          field="interval"
          label="Every"
          hint="A duration of 1 s or more: 30s, 5m, 24h, 7d"
          isMono
        />
      )}
      {texts.kind === "once" && (
        <TextField
          {...form}
          field="at"
          label="At, in your time zone"
          hint={utcHint(texts.at)}
          inputType="datetime-local"
        />
      )}
    </fieldset>
  );
}

function CronFields(form: ScheduleFormParts): JSX.Element {
  const { texts, set } = form;
  return (
    <>
      <div class="form-row">
        <TextField
          {...form}
          field="cron"
          label="Cron expression"
          hint="minute, hour, day, month, weekday; or @daily"
          isMono
        />
        <TextField
          {...form}
          field="timezone"
          label="Time zone"
          hint="UTC, or a place such as Europe/Berlin"
          offers={ZONES}
        />
      </div>
      <div class="presets">
        {PRESETS.map(([cron, words]) => (
          <Button
            key={cron}
            isPressed={texts.cron.trim() === cron}
            onClick={() => set({ cron })}
          >
            {words}
          </Button>
        ))}
      </div>
    </>
  );
}

function utcHint(input: string): string {
  const moment = momentOf(input);
  return moment ? `${moment.slice(0, 19).replace("T", " ")} UTC` : "Its zone is your browser's";
}
