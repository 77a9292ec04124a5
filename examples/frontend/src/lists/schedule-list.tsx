/** The user's schedules: made, changed, paused and deleted here. */

import { type ReactNode, useId, useRef } from "react";
import { describeError } from "../words.ts";
import { ScheduleForm } from "./schedule-form.tsx";
import { ScheduleRow } from "./schedule-row.tsx";
import { useReturn } from "./use-return.ts";
import { useSchedules } from "./use-schedules.ts";

/** The list of schedules, with the form that makes one. `onRun` is called when one of them has run. */
export function ScheduleList({ onRun }: { readonly onRun: () => void }): ReactNode {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const all = useSchedules(onRun);
  const { schedules, isLoading, error } = all;
  useReturn(all.refresh);

  async function remove(id: (typeof schedules)[number]["id"]): Promise<void> {
    // The button that had the focus is gone with its row.
    if (await all.remove(id)) heading.current?.focus();
  }

  return (
    <section className="panel" aria-labelledby={id}>
      <div className="list-head">
        <h2 id={id} ref={heading} tabIndex={-1}>My schedules</h2>
      </div>
      <ScheduleForm
        label="New schedule"
        action="Schedule"
        initial={{ pages: 4, seconds: 60 }}
        onSubmit={all.create}
      />
      <p className="problem" role="alert">{error && describeError(error)}</p>
      {schedules.length === 0
        ? (
          <p className="empty">
            {isLoading ? "Loading …" : "None yet: a schedule exports a report again and again"}
          </p>
        )
        : (
          <ul>
            {schedules.map((schedule) => (
              <ScheduleRow
                key={schedule.id}
                schedule={schedule}
                schedules={all}
                onDelete={() => remove(schedule.id)}
              />
            ))}
          </ul>
        )}
    </section>
  );
}
