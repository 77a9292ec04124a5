/** Faults first, and then how the bus does. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Badge } from "../../components/badge.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { ResourceView } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { useApi } from "../../shell/session.tsx";

const EVERY_MS = 10_000;

/** The page. */
export function OverviewPage(_: PageProps): JSX.Element {
  const api = useApi();
  const health = useResource(
    "health",
    (signal) => answerOf(api.GET("/health", { params: { query: {} }, signal }), 503),
    { everyMs: EVERY_MS },
  );
  return (
    <>
      <PageHeader title="Overview" />
      <ResourceView resource={health}>
        {({ checks }) => (
          <ul>
            {checks.filter(({ ok }) => !ok).map(({ name, advice }) => (
              <li key={name}>
                <Badge tone="bad">{name}</Badge> {advice}
              </li>
            ))}
          </ul>
        )}
      </ResourceView>
    </>
  );
}
