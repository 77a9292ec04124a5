/** The next times of a schedule, on the wall clock of its zone. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Time } from "../../components/time.tsx";
import { dayWords, offsetsChange } from "./zone-times.ts";

/** Shows the times; a change of the clock between them is said. */
export function PlannedTimes(
  { planned }: { readonly planned: Schemas["PlannedTimes"] },
): JSX.Element {
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
      <p class="muted">
        {timezone}
        {offsetsChange(local) && ". The clocks change between these times."}
      </p>
    </>
  );
}
