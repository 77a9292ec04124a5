/** The planned runs of a day, one below the other. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, pathOf } from "../../shell/router.tsx";
import { type CalendarDay, timeAt } from "./calendar-day.ts";
import { nameOf } from "./schedule-name.ts";

type Upcoming = Schemas["UpcomingRuns"];

interface PlannedRun {
  readonly at: string;
  readonly schedule: Upcoming;
}

/** Rows of the list at most. */
const MAX_ROWS = 200;

/** Shows the runs in the order of their times. */
export function CalendarList(
  { schedules, day }: { readonly schedules: readonly Upcoming[]; readonly day: CalendarDay },
): JSX.Element {
  const runs = schedules.flatMap((schedule) =>
    schedule.occurrences.map((at): PlannedRun => ({ at, schedule }))
  ).sort((one, other) => one.at < other.at ? -1 : 1);
  const total = schedules.reduce((sum, { count }) => sum + count, 0);
  const shown = runs.slice(0, MAX_ROWS);
  const columns: readonly Column<PlannedRun>[] = [
    { key: "at", title: "At", cell: ({ at }) => timeAt(Date.parse(at), day.zone) },
    {
      key: "name",
      title: "Schedule",
      isName: true,
      isWide: true,
      cell: ({ schedule }) => <SafeText text={nameOf(schedule)} longest={60} />,
    },
    {
      key: "type",
      title: "Message",
      cell: ({ schedule }) => <SafeText text={schedule.message.type} longest={60} />,
    },
    { key: "in", title: "When", isNumber: true, cell: ({ at }) => <Time at={at} /> },
  ];
  return (
    <>
      <DataTable
        caption="Planned runs, the next one first"
        columns={columns}
        rows={shown}
        keyOf={({ at, schedule }) => `${at} ${schedule.id}`}
        hrefOf={({ schedule }) => hrefTo(pathOf("schedules", schedule.id))}
      />
      {total > shown.length && (
        <p class="muted">
          The next {formatNumber(shown.length)} of {formatNumber(total)} runs of these schedules.
        </p>
      )}
    </>
  );
}
