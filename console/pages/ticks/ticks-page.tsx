/** Ticks and workers: which are awake, and what they did. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function TicksPage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Ticks and workers" />
      <Empty title="This page is not made yet" />
    </>
  );
}
