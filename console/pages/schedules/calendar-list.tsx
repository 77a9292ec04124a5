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
import { ScheduleTimes } from "./schedule-parts.tsx";

type Upcoming = Schemas["UpcomingRuns"];

/** A run; of a schedule that runs often, the first with the number of all. */
interface PlannedRun {
  readonly at: string;
  readonly schedule: Upcoming;
  readonly count: number;
}

/** Rows of the list at most. */
const MAX_ROWS = 200;
/** A schedule with more runs has one row, so that the others are seen. */
const OFTEN = 24;

function runsOf(schedule: Upcoming): PlannedRun[] {
  const { occurrences, count } = schedule;
  if (count <= OFTEN) return occurrences.map((at) => ({ at, schedule, count: 1 }));
  return occurrences.slice(0, 1).map((at) => ({ at, schedule, count }));
}

function columnsOf({ zone }: CalendarDay): readonly Column<PlannedRun>[] {
  return [
    {
      key: "at",
      title: "At",
      cell: ({ at, count }) => `${count > 1 ? "from " : ""}${timeAt(Date.parse(at), zone)}`,
    },
    {
      key: "name",
      title: "Schedule",
      isName: true,
      cell: ({ schedule }) => <SafeText text={nameOf(schedule)} longest={60} />,
    },
    {
      key: "times",
      title: "Runs",
      isWide: true,
      cell: ({ schedule, count }) =>
        count > 1
          ? (
            <>
              <ScheduleTimes schedule={schedule} />{" "}
              <span class="muted">{formatNumber(count)} runs</span>
            </>
          )
          : <ScheduleTimes schedule={schedule} />,
    },
    {
      key: "type",
      title: "Message",
      cell: ({ schedule }) => <SafeText text={schedule.message.type} longest={60} />,
    },
    { key: "in", title: "When", isNumber: true, cell: ({ at }) => <Time at={at} /> },
  ];
}

/** Shows the runs in the order of their times. */
export function CalendarList(
  { schedules, day }: { readonly schedules: readonly Upcoming[]; readonly day: CalendarDay },
): JSX.Element {
  const runs = schedules.flatMap(runsOf).sort((one, other) => one.at < other.at ? -1 : 1);
  const shown = runs.slice(0, MAX_ROWS);
  return (
    <>
      <DataTable
        caption="Planned runs, the next one first"
        columns={columnsOf(day)}
        rows={shown}
        keyOf={({ at, schedule }) => `${at} ${schedule.id}`}
        hrefOf={({ schedule }) => hrefTo(pathOf("schedules", schedule.id))}
      />
      {runs.length > shown.length && (
        <p class="muted">
          The first {formatNumber(shown.length)} of {formatNumber(runs.length)} rows.
        </p>
      )}
    </>
  );
}
