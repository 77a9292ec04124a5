/** Messages that failed for good, one by one or grouped by their error. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function DeadLettersPage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Dead letters" />
      <Empty title="This page is not made yet" />
    </>
  );
}
