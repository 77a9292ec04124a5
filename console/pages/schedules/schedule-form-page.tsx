/** The form that makes or changes a schedule, with its next times beside it. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useDraft } from "../../api/draft.ts";
import { useAction } from "../../api/use-action.ts";
import { useResource } from "../../api/use-resource.ts";
import { Button } from "../../components/controls.tsx";
import { Icon } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { Empty, ResourceView, Skeleton } from "../../components/resource-view.tsx";
import { toast } from "../../components/toast.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { fromHere, hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { useApi, useCanChange, useSession } from "../../shell/session.tsx";
import { placeProblems } from "./schedule-form-errors.ts";
import {
  changesOf,
  errorsOf,
  NEW_SCHEDULE,
  newScheduleOf,
  type ScheduleTexts,
  textsOf,
} from "./schedule-form-model.ts";
import { nameOf } from "./schedule-name.ts";
import { SchedulePreview, usePreview } from "./schedule-preview.tsx";
import { MessageFields } from "./schedule-message-fields.tsx";
import { MoreFields } from "./schedule-more-fields.tsx";
import { TimesFields } from "./schedule-times-fields.tsx";

/** The page: a new schedule, or the one of the path. */
export function ScheduleFormPage({ params: { id } }: PageProps): JSX.Element {
  const canChange = useCanChange();
  if (!canChange) {
    return (
      <>
        <PageHeader title="Schedule" above={<Link href={hrefTo("/schedules")}>Schedules</Link>} />
        <ReadOnly />
      </>
    );
  }
  return id === undefined ? <NewSchedule /> : <EditSchedule id={id} />;
}

/** A request for the roles that failed says nothing about them. */
function ReadOnly(): JSX.Element {
  const { access } = useSession();
  if (access.error && access.error.status !== 403) {
    return <ProblemNote problem={access.error} onRetry={access.reload} />;
  }
  if (!access.data && !access.error) return <Skeleton rows={6} />;
  return <Empty title="You may read only">This session changes no schedules.</Empty>;
}

function NewSchedule(): JSX.Element {
  const api = useApi();
  const [texts, setTexts, clear] = useDraft("new schedule", () => NEW_SCHEDULE);
  const action = useAction(async () => {
    const goOn = fromHere();
    const { id } = await answerOf(api.POST("/schedules", { body: newScheduleOf(texts) }));
    clear();
    toast(`${texts.name || `Schedule ${id}`} is saved`);
    goOn(hrefTo(pathOf("schedules", id)));
  });
  return (
    <>
      <PageHeader
        title="New schedule"
        above={<Link href={hrefTo("/schedules")}>Schedules</Link>}
      />
      <ScheduleForm
        verb="Create schedule"
        {...{ texts, setTexts, action }}
        onReset={clear}
        cancelHref={hrefTo("/schedules")}
      />
    </>
  );
}

function EditSchedule({ id }: { readonly id: string }): JSX.Element {
  const api = useApi();
  const schedule = useResource(
    `edit schedule ${id}`,
    (signal) => answerOf(api.GET("/schedules/{id}", { params: { path: { id } }, signal })),
    // The form keeps the schedule as it was when the operator began.
    { everyMs: null },
  );
  return (
    <>
      <PageHeader
        title={schedule.data ? `Edit ${nameOf(schedule.data)}` : "Edit schedule"}
        above={<Link href={hrefTo(pathOf("schedules", id))}>Back to the schedule</Link>}
      />
      <ResourceView resource={schedule}>{(data) => <EditForm schedule={data} />}</ResourceView>
    </>
  );
}

function EditForm({ schedule }: { readonly schedule: Schemas["Schedule"] }): JSX.Element {
  const [api, { id }] = [useApi(), schedule];
  const stored = textsOf(schedule);
  // The draft may be older than the schedule: only what the operator has changed since then is sent.
  const [{ before, texts }, setDraft, clear] = useDraft(`schedule ${id}`, () => ({
    before: stored,
    texts: stored,
  }));
  const setTexts = (texts: ScheduleTexts) => setDraft({ before, texts });
  const hasMoved = JSON.stringify(before) !== JSON.stringify(stored);
  const action = useAction(async () => {
    const goOn = fromHere();
    await answerOf(api.PATCH("/schedules/{id}", {
      params: { path: { id } },
      body: changesOf(texts, before),
    }));
    clear();
    toast(`${nameOf(schedule)} is changed`);
    goOn(hrefTo(pathOf("schedules", id)));
  });
  return (
    <>
      {schedule.declared && (
        <div class="note note-warn">
          <Icon name="warn" />
          <p class="note-text">
            It is declared in code: the next deploy that declares it otherwise changes it back.
          </p>
        </div>
      )}
      {hasMoved && (
        <div class="note note-info">
          <Icon name="info" />
          <p class="note-text">
            It was changed since you began. Saving sends your own changes alone; Reset shows the
            others.
          </p>
        </div>
      )}
      <ScheduleForm
        verb="Save changes"
        {...{ texts, setTexts, action }}
        isUnchanged={Object.keys(changesOf(texts, before)).length === 0}
        onReset={clear}
        cancelHref={hrefTo(pathOf("schedules", id))}
        isEdited
      />
    </>
  );
}

interface ScheduleFormProps {
  readonly verb: string;
  readonly texts: ScheduleTexts;
  readonly setTexts: (texts: ScheduleTexts) => void;
  readonly action: ReturnType<typeof useAction<[]>>;
  readonly isUnchanged?: boolean;
  readonly onReset: () => void;
  readonly cancelHref: string;
  /** The message type of a stored schedule stays. */
  readonly isEdited?: boolean;
}

function ScheduleForm(props: ScheduleFormProps): JSX.Element {
  const { verb, texts, setTexts, action, isUnchanged, onReset, cancelHref, isEdited } = props;
  const own = errorsOf(texts);
  const preview = usePreview(texts);
  const saved = placeProblems(action.error);
  const errors = { ...placeProblems(preview.problem).fields, ...saved.fields, ...own };
  const set = (changes: Partial<ScheduleTexts>) => setTexts({ ...texts, ...changes });
  const fields = { texts, set, errors };
  const isDisabled = Object.keys(own).length > 0 || isUnchanged === true;
  return (
    <div class="schedule-form">
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isDisabled) void action.run();
        }}
      >
        <TimesFields {...fields} />
        <MessageFields {...fields} hasFixedType={isEdited === true} />
        <MoreFields {...fields} />
        {action.error && saved.others.length > 0 && <ProblemNote problem={action.error} />}
        <div class="dialog-actions">
          <Link href={cancelHref} class="button">Cancel</Link>
          <Button onClick={onReset}>Reset</Button>
          <Button type="submit" tone="primary" isBusy={action.isRunning} isDisabled={isDisabled}>
            {verb}
          </Button>
        </div>
      </form>
      <SchedulePreview texts={texts} preview={preview} />
    </div>
  );
}
