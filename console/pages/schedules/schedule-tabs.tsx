/** The way between the list of schedules and the calendar of their runs. */

import type { JSX } from "preact";
import { hrefTo, usePlace } from "../../shell/router.tsx";

const VIEWS = [["/schedules", "List"], ["/schedules/calendar", "Calendar"]] as const;

/** Shows the links. */
export function ScheduleTabs(): JSX.Element {
  const { path } = usePlace();
  return (
    <nav class="tabs" aria-label="Schedules as">
      {VIEWS.map(([target, words]) => (
        <a key={target} href={hrefTo(target)} aria-current={target === path ? "page" : undefined}>
          {words}
        </a>
      ))}
    </nav>
  );
}
