/** One schedule: when it runs, its message, its runs and their outcomes. */

import type { JSX } from "preact";
import { answerOf, type Api, type Schemas } from "../../api/api-client.ts";
import { type PageQuery, usePages } from "../../api/use-pages.ts";
import { useResource } from "../../api/use-resource.ts";
import { Icon } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
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
  const runs = usePages(`schedule ${id} runs`, (page, signal) => readRuns(api, id, page, signal));
  const { data } = schedule;
  const reload = () => {
    schedule.reload();
    runs.resource.reload();
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
      <h2>Runs</h2>
      <ResourceView resource={runs.resource}>
        {({ runs }) => <ScheduleRuns runs={runs} />}
      </ResourceView>
      <Pager pages={runs} count={runs.resource.data?.runs.length ?? 0} />
    </>
  );
}

/** A function of an older release has the latest runs alone, and tells no next page. */
async function readRuns(api: Api, id: string, page: PageQuery, signal: AbortSignal) {
  const params = { path: { id }, query: page };
  const { runs, next = null } = await answerOf(api.GET("/schedules/{id}/runs", { params, signal }));
  return { runs, next };
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
