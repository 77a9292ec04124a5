/** One queue: its depth, its limits. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function QueuePage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Queue" />
      <Empty title="This page is not made yet" />
    </>
  );
}
