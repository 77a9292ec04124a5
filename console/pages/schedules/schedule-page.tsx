/** One schedule: when it runs, its message, its runs and their outcomes. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Icon } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { PayloadView } from "../../payload/payload-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { IfCanChange, useApi } from "../../shell/session.tsx";
import { DeleteSchedule, PauseOrResume, RunNow } from "./schedule-changes.tsx";
import { nameOf } from "./schedule-name.ts";
import { ScheduleState, ScheduleTimes } from "./schedule-parts.tsx";
import { ScheduleRuns } from "./schedule-runs.tsx";
import { ScheduleFacts } from "./schedule-facts.tsx";
import { PlannedTimes } from "./planned-times.tsx";

type Schedule = Schemas["Schedule"];

/** The page. */
export function SchedulePage({ params: { id = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const schedule = useResource(
    `schedule ${id}`,
    (signal) => answerOf(api.GET("/schedules/{id}", { params: { path: { id } }, signal })),
  );
  const runs = useResource(
    `schedule ${id} runs`,
    (signal) =>
      answerOf(api.GET("/schedules/{id}/runs", {
        params: { path: { id }, query: { limit: 50 } },
        signal,
      })),
  );
  const { data } = schedule;
  const reload = () => {
    schedule.reload();
    runs.reload();
  };
  return (
    <>
      <PageHeader
        title={data ? nameOf(data) : `Schedule ${id}`}
        above={<Link href={hrefTo("/schedules")}>Schedules</Link>}
        beside={data && <ScheduleState schedule={data} />}
        actions={data && <Changes schedule={data} onDone={reload} />}
      />
      <ResourceView resource={schedule}>
        {(data) => (
          <>
            <Notes schedule={data} />
            <div class="schedule-halves">
              <PlannedCard schedule={data} />
              <PayloadView title="Payload" value={data.message.payload} />
            </div>
            <ScheduleFacts schedule={data} />
          </>
        )}
      </ResourceView>
      <h2>Latest runs</h2>
      <ResourceView resource={runs}>{({ runs }) => <ScheduleRuns runs={runs} />}</ResourceView>
    </>
  );
}

function Changes(
  { schedule, onDone }: { readonly schedule: Schedule; readonly onDone: () => void },
): JSX.Element {
  return (
    <IfCanChange>
      <RunNow schedule={schedule} onDone={onDone} />
      <PauseOrResume schedule={schedule} onDone={onDone} />
      <Link href={hrefTo(`${pathOf("schedules", schedule.id)}/edit`)} class="button">
        <Icon name="edit" /> <span>Edit</span>
      </Link>
      <DeleteSchedule schedule={schedule} />
    </IfCanChange>
  );
}

function Notes({ schedule }: { readonly schedule: Schedule }): JSX.Element {
  const { enabled, disabledReason, disabledBy, failingSince } = schedule;
  return (
    <>
      {!enabled && disabledReason && (
        <div class={`note ${disabledBy === "invalid" ? "note-bad" : "note-warn"}`}>
          <Icon name={disabledBy === "invalid" ? "bad" : "pause"} />
          <p class="note-text">
            <SafeText text={disabledReason} longest={1000} />
          </p>
        </div>
      )}
      {failingSince && (
        <div class="note note-bad">
          <Icon name="bad" />
          <p class="note-text">
            Its messages have had problems since <Time at={failingSince} />: see its runs.
          </p>
        </div>
      )}
    </>
  );
}

function PlannedCard({ schedule }: { readonly schedule: Schedule }): JSX.Element {
  const api = useApi();
  const { id, updatedAt, lastRunAt, enabled } = schedule;
  const planned = useResource(
    `schedule ${id} preview ${updatedAt} ${lastRunAt}`,
    (signal) =>
      answerOf(api.GET("/schedules/{id}/preview", {
        params: { path: { id }, query: { n: 5 } },
        signal,
      })),
    { everyMs: 60_000, keepsData: true },
  );
  return (
    <section class="card" aria-labelledby="times-title">
      <div class="card-header">
        <h2 id="times-title">
          <ScheduleTimes schedule={schedule} />
        </h2>
      </div>
      {!enabled && <p class="muted">If it were enabled, it would run at these times.</p>}
      <ResourceView resource={planned} skeletonRows={5}>
        {(times) => <PlannedTimes planned={times} isZoneKnown />}
      </ResourceView>
    </section>
  );
}
