/** The way to the next page of a list, and back. */

import type { JSX } from "preact";
import type { Pages } from "../api/use-pages.ts";
import { Button } from "./controls.tsx";

/** Properties of the pager. */
export interface PagerProps {
  readonly pages: Pages<unknown>;
  /** Rows on this page. */
  readonly count: number;
}

/** Shows where in the list the operator is; nothing where there is one page alone. */
export function Pager({ pages, count }: PagerProps): JSX.Element | null {
  const { number, onNext, onPrevious } = pages;
  if (!onNext && !onPrevious) return null;
  return (
    <nav class="pager" aria-label="Pages">
      <Button icon="previous" isDisabled={!onPrevious} onClick={() => onPrevious?.()}>
        Previous
      </Button>
      <span class="muted">Page {number}, {count} rows</span>
      <Button icon="next" isDisabled={!onNext} onClick={() => onNext?.()}>Next</Button>
    </nav>
  );
}
