/** Buttons that change a schedule: run now, pause, resume, delete. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useAction } from "../../api/use-action.ts";
import { Button, Field } from "../../components/controls.tsx";
import { Confirm, Dialog } from "../../components/dialog.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { toast } from "../../components/toast.tsx";
import { fromHere, hrefTo, pathOf } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import { nameOf } from "./schedule-name.ts";

type Schedule = Pick<Schemas["ScheduleSummary"], "id" | "name" | "enabled">;

/** Properties of each button. */
export interface ScheduleChangeProps {
  readonly schedule: Schedule;
  readonly onDone: () => void;
  /** Shows an icon alone, as in a row. */
  readonly isShort?: boolean;
}

/** Runs the schedule once now, paused or not. */
export function RunNow({ schedule, onDone, isShort }: ScheduleChangeProps): JSX.Element {
  const api = useApi();
  const action = useAction(async () => {
    const { messageId } = await answerOf(api.POST("/schedules/{id}/trigger", {
      params: { path: { id: schedule.id } },
      body: { count: false },
    }));
    toast(`${nameOf(schedule)} is triggered: message ${messageId}`);
    onDone();
  });
  return (
    <ActionButton
      action={action}
      icon="events"
      isShort={isShort}
      words="Run now"
      schedule={schedule}
    />
  );
}

/** Pauses with a reason, or resumes. */
export function PauseOrResume({ schedule, onDone, isShort }: ScheduleChangeProps): JSX.Element {
  const api = useApi();
  const [isAsking, setIsAsking] = useState(false);
  const resume = useAction(async () => {
    await answerOf(
      api.POST("/schedules/{id}/resume", { params: { path: { id: schedule.id } } }),
    );
    toast(`${nameOf(schedule)} is resumed`);
    onDone();
  });
  if (!schedule.enabled) {
    return (
      <ActionButton
        action={resume}
        icon="play"
        isShort={isShort}
        words="Resume"
        schedule={schedule}
      />
    );
  }
  return (
    <>
      <Button
        icon="pause"
        tone={isShort ? "quiet" : undefined}
        label={isShort ? `Pause ${nameOf(schedule)}` : undefined}
        onClick={() => setIsAsking(true)}
      >
        {!isShort && "Pause"}
      </Button>
      {isAsking && (
        <PauseDialog
          schedule={schedule}
          onDone={onDone}
          onClose={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

function ActionButton({ action, icon, isShort, words, schedule }: {
  readonly action: ReturnType<typeof useAction<[]>>;
  readonly icon: "events" | "play";
  readonly isShort: boolean | undefined;
  readonly words: string;
  readonly schedule: Schedule;
}): JSX.Element {
  // A row has no room for the problem.
  const { error } = action;
  useEffect(() => {
    if (error && isShort) toast(`${nameOf(schedule)}: ${error.message}`, "bad");
  }, [error]);
  return (
    <>
      <Button
        icon={icon}
        tone={isShort ? "quiet" : undefined}
        label={isShort ? `${words}: ${nameOf(schedule)}` : undefined}
        isBusy={action.isRunning}
        onClick={() => void action.run()}
      >
        {!isShort && words}
      </Button>
      {!isShort && action.error && (
        <Dialog title={`${words}: not done`} onClose={action.clear}>
          <ProblemNote problem={action.error} />
        </Dialog>
      )}
    </>
  );
}

interface PauseDialogProps {
  readonly schedule: Schedule;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function PauseDialog({ schedule, onDone, onClose }: PauseDialogProps): JSX.Element {
  const api = useApi();
  const [reason, setReason] = useState("");
  const pause = async () => {
    await answerOf(api.POST("/schedules/{id}/pause", {
      params: { path: { id: schedule.id } },
      body: reason.trim() ? { reason: reason.trim() } : {},
    }));
    toast(`${nameOf(schedule)} is paused`);
    onDone();
  };
  return (
    <Confirm title={`Pause ${nameOf(schedule)}`} verb="Pause" onConfirm={pause} onClose={onClose}>
      <p>It makes no messages until it is resumed. Its runs in between are not made up.</p>
      <Field label="Reason" hint="For the operators who see it paused; it may stay empty.">
        {(id, describedBy) => (
          <input
            id={id}
            aria-describedby={describedBy}
            maxLength={1000}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        )}
      </Field>
    </Confirm>
  );
}

/** Removes the schedule and the record of its runs. */
export function DeleteSchedule({ schedule }: { readonly schedule: Schedule }): JSX.Element {
  const api = useApi();
  const [isAsking, setIsAsking] = useState(false);
  const remove = async () => {
    const goOn = fromHere();
    await answerOf(
      api.DELETE("/schedules/{id}", { params: { path: { id: schedule.id } } }),
    );
    toast(`${nameOf(schedule)} is deleted`);
    goOn(hrefTo(pathOf("schedules")));
  };
  return (
    <>
      <Button icon="trash" tone="danger" onClick={() => setIsAsking(true)}>Delete</Button>
      {isAsking && (
        <Confirm
          title={`Delete ${nameOf(schedule)}?`}
          verb="Delete"
          isDangerous
          onConfirm={remove}
          onClose={() => setIsAsking(false)}
        >
          <p>The record of its runs goes with it. Messages that it has made stay.</p>
        </Confirm>
      )}
    </>
  );
}
