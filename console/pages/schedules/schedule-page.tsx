/** One schedule with its runs. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function SchedulePage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Schedule" />
      <Empty title="This page is not made yet" />
    </>
  );
}
