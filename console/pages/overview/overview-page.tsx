/** Faults first, each with advice; then figures, charts, and the queues and dead letters that need attention. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { PageHeader } from "../../components/page-header.tsx";
import { ResourceView } from "../../components/resource-view.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { useApi } from "../../shell/session.tsx";
import { DeadLetterGroups } from "./dead-letter-groups.tsx";
import { HealthPanel } from "./health-panel.tsx";
import { OverviewCharts } from "./overview-charts.tsx";
import { OverviewFigures } from "./overview-figures.tsx";
import { WorstQueues } from "./worst-queues.tsx";

const EVERY_MS = 10_000;

/** The page. */
export function OverviewPage(_: PageProps): JSX.Element {
  const api = useApi();
  const health = useResource(
    "health",
    (signal) => answerOf(api.GET("/health", { params: { query: {} }, signal }), 503),
    { everyMs: EVERY_MS },
  );
  const stats = useResource(
    "stats",
    (signal) => answerOf(api.GET("/stats", { signal })),
    { everyMs: EVERY_MS },
  );
  return (
    <>
      <PageHeader title="Overview" />
      <ResourceView resource={health} skeletonRows={2}>
        {(answer) => <HealthPanel health={answer} />}
      </ResourceView>
      <ResourceView resource={stats} skeletonRows={3}>
        {(answer) => <OverviewFigures stats={answer} />}
      </ResourceView>
      <OverviewCharts types={stats.data?.types} />
      {stats.data && (
        <div class="halves">
          <WorstQueues stats={stats.data} />
          <DeadLetterGroups stats={stats.data} />
        </div>
      )}
    </>
  );
}
