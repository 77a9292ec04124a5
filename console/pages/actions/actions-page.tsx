/** The changes that operators made. */

import type { JSX } from "preact";
import { PageHeader } from "../../components/page-header.tsx";
import { Empty } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";

/** The page. */
export function ActionsPage(_: PageProps): JSX.Element {
  return (
    <>
      <PageHeader title="Action log" />
      <Empty title="This page is not made yet" />
    </>
  );
}
