/** One dead letter in full, to be edited and redriven. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function DeadLetterPage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Dead letter" />
      <Empty title="This page is not made yet" />
    </>
  );
}
