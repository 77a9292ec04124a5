/** The range of the charts; it lives in the address. */

import type { JSX } from "preact";
import { type Range, rangeOf, RANGES } from "../api/series-ranges.ts";
import { useQuery } from "../shell/router.tsx";

/** The range in the address. */
export function useRange(): Range {
  const [query] = useQuery();
  return rangeOf(query.get("range"));
}

/** Lets the operator choose a range. */
export function RangePicker(): JSX.Element {
  const [, setQuery] = useQuery();
  const { key } = useRange();
  return (
    <div class="segments" role="group" aria-label="Range of the charts">
      {RANGES.map((range) => (
        <button
          key={range.key}
          type="button"
          aria-pressed={range.key === key}
          onClick={() =>
            setQuery({ range: range.key === RANGES[0].key ? null : range.key }, { replace: true })}
        >
          {range.key}
        </button>
      ))}
    </div>
  );
}
