/** The options that most schedules leave as they are. */

import type { JSX } from "preact";
import { ChoiceField, type ScheduleFormParts, TextField } from "./schedule-field.tsx";
import { NEW_SCHEDULE, type ScheduleField } from "./schedule-form-model.ts";

const FIELDS: readonly ScheduleField[] = [
  ...["startAt", "endAt", "maxRuns", "catchUp", "catchUpLimit", "overlap"] as const,
  ...["whilePaused", "jitter", "ttl", "queue", "priority", "groupKey"] as const,
];

const BEFORE = {
  field: "startAt",
  label: "No run before, in your zone",
  inputType: "datetime-local",
} as const;
const AFTER = {
  field: "endAt",
  label: "No run after, in your zone",
  inputType: "datetime-local",
} as const;

/** The fields, closed until one of them is set or wrong. */
export function MoreFields(form: ScheduleFormParts): JSX.Element {
  const { texts, errors } = form;
  const set = FIELDS.filter((field) => texts[field] !== NEW_SCHEDULE[field]).length;
  const isWrong = FIELDS.some((field) => errors[field] !== undefined);
  return (
    <details class="card more-fields" open={set > 0 || isWrong}>
      <summary>
        More options{" "}
        <span class="muted">{set > 0 ? `${set} set` : "bounds, missed runs, queue"}</span>
      </summary>
      <RunFields {...form} />
      <MessageOptionFields {...form} />
    </details>
  );
}

function RunFields(form: ScheduleFormParts): JSX.Element {
  const { texts } = form;
  const isOnce = texts.kind === "once";
  return (
    <>
      <div class="form-row">
        <TextField {...form} {...BEFORE} />
        <TextField {...form} {...AFTER} />
        {!isOnce && (
          <TextField {...form} field="maxRuns" label="Ends after runs" placeholder="no limit" />
        )}
      </div>
      <div class="form-row">
        <ChoiceField
          {...form}
          field="catchUp"
          label="Missed runs"
          choices={[["latest", "make up the latest"], ["all", "make up all"], [
            "none",
            "leave out",
          ]]}
        />
        {texts.catchUp === "all" && (
          <TextField {...form} field="catchUpLimit" label="At most" placeholder="1000" />
        )}
        {!isOnce && (
          <ChoiceField
            {...form}
            field="overlap"
            label="While the run before is not done"
            choices={[["allow", "run"], ["skip", "skip"]]}
          />
        )}
        <ChoiceField
          {...form}
          field="whilePaused"
          label="While the queue is paused"
          choices={[["enqueue", "messages wait"], ["skip", "no runs"]]}
        />
      </div>
    </>
  );
}

function MessageOptionFields(form: ScheduleFormParts): JSX.Element {
  return (
    <div class="form-row">
      <TextField {...form} field="jitter" label="Jitter" placeholder="none, or 30s" isMono />
      <TextField {...form} field="ttl" label="Time to live" placeholder="the type's" isMono />
      <TextField {...form} field="queue" label="Queue" placeholder="the type's" />
      <TextField {...form} field="priority" label="Priority" placeholder="the type's" />
      <TextField {...form} field="groupKey" label="Group" placeholder="none" />
    </div>
  );
}
