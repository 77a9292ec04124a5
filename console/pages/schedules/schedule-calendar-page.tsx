/** The planned runs of all schedules within a day: as tracks of 24 hours, and as a list. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { Button } from "../../components/controls.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { useNow } from "../../components/time.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { useQuery } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import { type CalendarDay, dateAfter, dayOf } from "./calendar-day.ts";
import { CalendarList } from "./calendar-list.tsx";
import { CalendarTracks } from "./calendar-tracks.tsx";
import { ScheduleTabs } from "./schedule-tabs.tsx";

const EVERY_MS = 30_000;
/** Times of one schedule that are drawn at most. */
const TIMES = 200;

/** The page. */
export function ScheduleCalendarPage(_: PageProps): JSX.Element {
  const api = useApi();
  const now = useNow();
  const [query] = useQuery();
  const day = dayOf(query.get("day"), query.get("zone") === "local" ? "local" : "utc", now);
  const isList = query.get("view") === "list";
  const pages = usePages(
    `upcoming ${day.start} ${day.end}`,
    (page, signal) =>
      answerOf(api.GET("/schedules/upcoming", {
        params: {
          query: {
            from: new Date(day.start).toISOString(),
            until: new Date(day.end).toISOString(),
            n: TIMES,
            ...page,
          },
        },
        signal,
      })),
    { everyMs: EVERY_MS },
  );
  return (
    <>
      <PageHeader title="Schedules" />
      <ScheduleTabs />
      <DayControls day={day} isList={isList} />
      <ResourceView resource={pages.resource}>
        {({ schedules }) => (
          <>
            {schedules.length === 0
              ? <NoRuns isOver={day.end <= now} hasMore={pages.onNext !== undefined} />
              : isList
              ? <CalendarList schedules={schedules} day={day} />
              : <CalendarTracks schedules={schedules} day={day} now={now} />}
            <Pager pages={pages} count={schedules.length} />
          </>
        )}
      </ResourceView>
    </>
  );
}

function DayControls(
  { day, isList }: { readonly day: CalendarDay; readonly isList: boolean },
): JSX.Element {
  const [, setQuery] = useQuery();
  const goBy = (days: number) => setQuery({ day: dateAfter(day, days) });
  return (
    <div class="calendar-controls">
      <div class="calendar-day">
        <Button icon="previous" label="The day before" onClick={() => goBy(-1)} />
        <input
          type="date"
          aria-label="Day"
          data-filter
          value={day.date}
          onChange={(event) => setQuery({ day: event.currentTarget.value })}
        />
        <Button icon="next" label="The day after" onClick={() => goBy(1)} />
        <Button onClick={() => setQuery({ day: null })}>Today</Button>
      </div>
      <div class="calendar-day">
        <Button isPressed={day.zone === "utc"} onClick={() => setQuery({ zone: null })}>UTC</Button>
        <Button isPressed={day.zone === "local"} onClick={() => setQuery({ zone: "local" })}>
          Your zone
        </Button>
      </div>
      <div class="calendar-day">
        <Button isPressed={!isList} onClick={() => setQuery({ view: null })}>Day</Button>
        <Button isPressed={isList} onClick={() => setQuery({ view: "list" })}>List</Button>
      </div>
    </div>
  );
}

function NoRuns(
  { isOver, hasMore }: { readonly isOver: boolean; readonly hasMore: boolean },
): JSX.Element {
  if (isOver) {
    return (
      <Empty title="This day is over">
        Each schedule's page has the runs that were made, with their outcomes.
      </Empty>
    );
  }
  if (hasMore) return <Empty title="None among these">The next page has further schedules.</Empty>;
  return <Empty title="No run is planned">No enabled schedule runs on the rest of this day.</Empty>;
}
