/** The next times of a schedule, on the wall clock of its zone. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Time } from "../../components/time.tsx";
import { dayWords, offsetsChange } from "./zone-times.ts";

/** Properties of the times. */
export interface PlannedTimesProps {
  readonly planned: Schemas["PlannedTimes"];
  /** Whether the zone is written somewhere else already. */
  readonly isZoneKnown?: boolean;
}

/** Shows the times; a change of the clock between them is said. */
export function PlannedTimes({ planned, isZoneKnown }: PlannedTimesProps): JSX.Element {
  const { occurrences, local, timezone } = planned;
  if (occurrences.length === 0) return <p class="muted">It has no further run.</p>;
  return (
    <>
      <ol class="planned">
        {occurrences.map((at, index) => {
          const { day, time, offset } = dayWords(local[index] ?? at);
          return (
            <li key={at}>
              <span class="planned-day">{day}</span>
              <b>{time}</b>
              <span class="muted">{offset}</span>
              <span class="planned-distance">
                <Time at={at} />
              </span>
            </li>
          );
        })}
      </ol>
      {!isZoneKnown && <p class="muted">{timezone}</p>}
      {offsetsChange(local) && <p class="muted">The clocks change between these times.</p>}
    </>
  );
}
