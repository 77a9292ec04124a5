/** The charts of all queues, or of one type. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useTimeSeries } from "../../api/series-ranges.ts";
import { useResource } from "../../api/use-resource.ts";
import { RangePicker, useRange } from "../../components/range-picker.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { SeriesCharts, SeriesSkeleton } from "../../components/series-charts.tsx";
import { useQuery } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import { BusiestTypes } from "./busiest-types.tsx";

/** Shows the charts with what they are of. */
export function OverviewCharts(
  { types }: { readonly types: Schemas["Stats"]["types"] | undefined },
): JSX.Element {
  const api = useApi();
  const [query, setQuery] = useQuery();
  const type = query.get("type") ?? "";
  const series = useTimeSeries(api, useRange(), { type });
  const known = useResource("types", (signal) => answerOf(api.GET("/types", { signal })), {
    everyMs: null,
  });
  const names = known.data?.types.map(({ type }) => type) ?? [];
  return (
    <section class="section" aria-labelledby="charts-title">
      <div class="section-header">
        <h2 id="charts-title">Over time</h2>
        <div class="section-controls">
          <select
            aria-label="Type of the messages"
            value={type}
            onChange={({ currentTarget: { value } }) => setQuery({ type: value })}
          >
            <option value="">All types</option>
            {names.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
          <RangePicker />
        </div>
      </div>
      <ResourceView resource={series} skeleton={<SeriesSkeleton />}>
        {(answer) =>
          answer
            ? (
              <SeriesCharts series={answer}>
                <BusiestTypes types={types ?? []} />
              </SeriesCharts>
            )
            : (
              <Empty title="There are no time series">
                The functions of this project are of an older release: upgrade and deploy them.
              </Empty>
            )}
      </ResourceView>
    </section>
  );
}
