/** A schedule of the user: when it runs, and the buttons that change, pause and delete it. */

import type { OwnSchedule } from "symphony-messenger/client";
import { type ReactNode, useState } from "react";
import { Badge } from "../badge.tsx";
import { useNow } from "../use-now.ts";
import { describeSeconds, secondsUntil, type Words } from "../words.ts";
import { ScheduleForm } from "./schedule-form.tsx";
import type { Choice, Schedules } from "./use-schedules.ts";

/** A row. */
export function ScheduleRow({ schedule, schedules, onDelete }: {
  readonly schedule: OwnSchedule;
  readonly schedules: Schedules;
  readonly onDelete: () => void;
}): ReactNode {
  const [isEdited, setEdited] = useState(false);
  const { id, enabled, disabledBy } = schedule;
  const choice = choiceOf(schedule);
  const name = `schedule ${id}`;

  async function change(choice: Choice): Promise<void> {
    if (await schedules.change(id, choice)) setEdited(false);
  }

  return (
    <li className="schedule">
      <div className="job-line">
        <div className="row-title">
          <span>A report of {choice.pages} pages</span>
          <span className="id">#{id}</span>
        </div>
        <Badge words={wordsOf(schedule)} label="State" />
      </div>
      <NextRun schedule={schedule} seconds={choice.seconds} />
      {isEdited
        ? (
          <ScheduleForm
            label={`Change ${name}`}
            action="Save"
            initial={choice}
            onSubmit={change}
            onCancel={() => setEdited(false)}
          />
        )
        : (
          <div className="schedule-buttons">
            <Action label={`Change ${name}`} onClick={() => setEdited(true)}>Change</Action>
            {(enabled || disabledBy === "pause") && (
              <Action
                label={`${enabled ? "Pause" : "Resume"} ${name}`}
                onClick={() => schedules.setEnabled(id, !enabled)}
              >
                {enabled ? "Pause" : "Resume"}
              </Action>
            )}
            <Action label={`Delete ${name}`} isDangerous onClick={onDelete}>Delete</Action>
          </div>
        )}
    </li>
  );
}

function NextRun(
  { schedule, seconds }: { readonly schedule: OwnSchedule; readonly seconds: number },
): ReactNode {
  const { enabled, nextRunAt, runCount } = schedule;
  const now = useNow(enabled && nextRunAt !== null);
  const wait = secondsUntil(nextRunAt, now);
  return (
    <p className="small soft number">
      Every {describeSeconds(seconds)} · {runCount === 1 ? "1 run" : `${runCount} runs`}
      {enabled && ` · ${wait > 0 ? `next in ${describeSeconds(wait)}` : "next run is due"}`}
    </p>
  );
}

function Action({ label, isDangerous = false, onClick, children }: {
  readonly label: string;
  readonly isDangerous?: boolean;
  readonly onClick: () => void;
  readonly children: string;
}): ReactNode {
  return (
    <button
      type="button"
      className={`button compact${isDangerous ? " danger" : ""}`}
      aria-label={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

function wordsOf({ enabled, disabledBy }: OwnSchedule): Words {
  if (enabled) return { word: "Active", tone: "good", sign: "check" };
  return disabledBy === "finished"
    ? { word: "Finished", tone: "quiet", sign: "check" }
    : { word: "Paused", tone: "warn", sign: "stop" };
}

function choiceOf({ message: { payload }, config }: OwnSchedule): Choice {
  return {
    pages: (payload as { pages: number }).pages,
    seconds: Number(config["interval"]) / 1000,
  };
}
