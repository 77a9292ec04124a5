/** Messages that wait or run. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function MessagesPage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Messages" />
      <Empty title="This page is not made yet" />
    </>
  );
}
