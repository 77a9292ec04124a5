/** The place of a list without dead letters. */

import type { JSX } from "preact";
import { Empty } from "../../components/resource-view.tsx";

/** Says whether a filter hides them, or there are none. */
export function NoDeadLetters({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  return isFiltered
    ? <Empty title="No dead letter matches">Remove a filter to see others.</Empty>
    : (
      <Empty title="There are no dead letters">
        Nothing was given up. That is as it should be.
      </Empty>
    );
}
