/** The four states of data: loading, empty, failed, and shown, which may be stale. */

import type { ComponentChildren, JSX } from "preact";
import type { Resource } from "../api/use-resource.ts";
import { Button } from "./controls.tsx";
import { ProblemNote } from "./problem-note.tsx";
import { Icon } from "./icon.tsx";
import { Outdated } from "./outdated.ts";
import { Time } from "./time.tsx";

/** Properties of the view. */
export interface ResourceViewProps<Data> {
  readonly resource: Resource<Data>;
  /** Rows of the skeleton, so that the page does not jump when the data comes. */
  readonly skeletonRows?: number;
  /** In place of rows, for data that has another shape. */
  readonly skeleton?: ComponentChildren;
  readonly children: (data: Data) => ComponentChildren;
}

/** Shows a resource, whichever state it is in. */
export function ResourceView<Data>(
  { resource, skeletonRows = 6, skeleton, children }: ResourceViewProps<Data>,
): JSX.Element {
  const { data, error, staleSince, isOutdated, reload } = resource;
  if (data === undefined) {
    return error
      ? <ProblemNote problem={error} onRetry={reload} />
      : <>{skeleton ?? <Skeleton rows={skeletonRows} />}</>;
  }
  return (
    <>
      {error && staleSince !== null && (
        <div class="note note-warn" role="status">
          <Icon name="warn" />
          <div class="note-text">
            <p>
              Stale: last answer <Time at={staleSince} />. {error.message}
            </p>
          </div>
          <Button tone="quiet" icon="reload" label="Ask again now" onClick={reload} />
        </div>
      )}
      <Outdated.Provider value={isOutdated}>{children(data)}</Outdated.Provider>
    </>
  );
}

/** Grey lines in the place of data that is on its way. */
export function Skeleton({ rows }: { readonly rows: number }): JSX.Element {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => <div key={index} class="skeleton-row" />)}
    </div>
  );
}

/** Properties of the empty state. */
export interface EmptyProps {
  readonly title: string;
  /** Says what to do, or why it is good that there is nothing. */
  readonly children?: ComponentChildren;
}

/** The place of a list that has nothing. */
export function Empty({ title, children }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div class="muted">{children}</div>}
    </div>
  );
}
