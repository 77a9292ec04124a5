/** The day as a track of 24 hours for each schedule. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { formatNumber } from "../../components/relative-time.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { type CalendarDay, placeIn, timeAt } from "./calendar-day.ts";
import { nameOf } from "./schedule-name.ts";
import { ScheduleTimes } from "./schedule-parts.tsx";

type Upcoming = Schemas["UpcomingRuns"];

const HOURS = [0, 3, 6, 9, 12, 15, 18, 21];
/** Units of a track's width. */
const WIDTH = 1_440;
const HEIGHT = 24;
/** Times that screen readers are told. */
const TOLD_TIMES = 10;

/** Properties of the tracks. */
export interface CalendarTracksProps {
  readonly schedules: readonly Upcoming[];
  readonly day: CalendarDay;
  readonly now: number;
}

/** Shows the tracks. */
export function CalendarTracks({ schedules, day, now }: CalendarTracksProps): JSX.Element {
  return (
    <div class="calendar">
      <div class="calendar-hours" aria-hidden="true">
        {HOURS.map((hour) => <span key={hour}>{String(hour).padStart(2, "0")}:00</span>)}
      </div>
      <ol>
        {schedules.map((schedule) => (
          <li key={schedule.id} class="calendar-row" data-row={schedule.id}>
            <div class="calendar-name">
              <Link href={hrefTo(pathOf("schedules", schedule.id))} class="row-link">
                <SafeText text={nameOf(schedule)} longest={60} />
              </Link>
              <span class="muted">
                <ScheduleTimes schedule={schedule} />
              </span>
            </div>
            {schedule.problem === null
              ? <Track schedule={schedule} day={day} now={now} />
              : <p class="field-error">{schedule.problem}</p>}
            <span class="calendar-count">{countWords(schedule.count)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function countWords(count: number): string {
  return count === 1 ? "1 run" : `${formatNumber(count)} runs`;
}

function Track({ schedule, day, now }: {
  readonly schedule: Upcoming;
  readonly day: CalendarDay;
  readonly now: number;
}): JSX.Element {
  const { occurrences, count } = schedule;
  const times = occurrences.map((at) => Date.parse(at));
  const xOf = (moment: number) => Math.round(placeIn(day, moment) * WIDTH * 10) / 10;
  const marks = times.map((at) => `M${xOf(at)} 4V${HEIGHT - 4}`).join("");
  const nowX = xOf(now);
  const last = times.at(-1);
  const told = times.slice(0, TOLD_TIMES).map((at) => timeAt(at, day.zone)).join(", ");
  const more = count > TOLD_TIMES ? ` and ${formatNumber(count - TOLD_TIMES)} more` : "";
  return (
    <svg
      class="calendar-track"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${countWords(count)}: ${told}${more}`}
    >
      <title>{`${told}${more}`}</title>
      {HOURS.map((hour) => (
        <path key={hour} class="track-hour" d={`M${hour * WIDTH / 24} 0V${HEIGHT}`} />
      ))}
      {nowX > 0 && nowX < WIDTH && <rect class="track-past" width={nowX} height={HEIGHT} />}
      {count > times.length && last !== undefined && (
        <rect class="track-more" x={xOf(last)} y="8" width={WIDTH - xOf(last)} height="8" />
      )}
      <path class="track-run" d={marks} />
      {nowX > 0 && nowX < WIDTH && <path class="track-now" d={`M${nowX} 0V${HEIGHT}`} />}
    </svg>
  );
}
