/** The lanes of a queue that hold messages, or for which something is set. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { toProblem } from "../../api/api-problem.ts";
import { usePages } from "../../api/use-pages.ts";
import { Badge } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatCount, formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, pathOf } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { laneOf } from "./lane-names.ts";
import { PauseButton } from "./pause-button.tsx";
import { RUNNING_AND_OLDEST } from "./queue-columns.tsx";
import { rateWords } from "./queue-limits.tsx";

type Queue = Schemas["Queue"];

const COLUMNS: readonly Column<Queue>[] = [
  {
    key: "name",
    title: "Lane",
    isName: true,
    isWide: true,
    cell: ({ name }) => <SafeText text={laneOf(name)?.lane ?? name} longest={100} />,
  },
  {
    key: "state",
    title: "State",
    cell: ({ paused }) =>
      paused ? <Badge tone="warn" icon="pause">Paused</Badge> : <Badge tone="ok">Active</Badge>,
  },
  { key: "due", title: "Due", isNumber: true, cell: ({ due }) => formatCount(due) },
  { key: "delayed", title: "Delayed", isNumber: true, cell: ({ delayed }) => formatCount(delayed) },
  ...RUNNING_AND_OLDEST,
  {
    key: "concurrency",
    title: "Concurrency",
    isNumber: true,
    cell: ({ concurrency }) => concurrency === null ? "no limit" : formatNumber(concurrency),
  },
  {
    key: "rate",
    title: "Rate",
    isNumber: true,
    cell: ({ rateLimit, ratePeriodMs }) => rateWords(rateLimit, ratePeriodMs),
  },
  { key: "weight", title: "Weight", isNumber: true, cell: ({ weight }) => formatNumber(weight) },
];

/** Properties of the list. */
export interface QueueLanesProps {
  readonly queue: Queue;
  /** Called after a change of a lane. */
  readonly onDone: () => void;
}

/** Shows the lanes, by name; nothing for a queue that has none and sets nothing for them. */
export function QueueLanes({ queue, onDone }: QueueLanesProps): JSX.Element | null {
  const api = useApi();
  const canChange = useCanChange();
  const { name, laneConcurrency, laneRateLimit } = queue;
  const pages = usePages(`lanes ${name}`, async (query, signal) => {
    try {
      const params = { path: { name }, query };
      return await answerOf(api.GET("/queues/{name}/lanes", { params, signal }));
    } catch (error) {
      // Functions of an older release have no such path, and no lanes.
      if (toProblem(error).isNotFound) return { queues: [], next: null };
      throw error;
    }
  });
  const { resource } = pages;
  const isPlain = (laneConcurrency ?? laneRateLimit ?? null) === null;
  const hasNone = resource.data?.queues.length === 0 && pages.number === 1;
  if (isPlain && (hasNone || (resource.data === undefined && !resource.error))) return null;
  const reload = () => {
    resource.reload();
    onDone();
  };
  return (
    <section class="section" aria-labelledby="lanes-title">
      <h2 id="lanes-title">Lanes</h2>
      <ResourceView resource={resource} skeletonRows={3}>
        {({ queues }) =>
          queues.length === 0
            ? <Empty title="No lane holds messages">Lanes go when they are empty.</Empty>
            : (
              <DataTable
                caption={`Lanes of ${name} that hold messages, or for which something is set`}
                columns={COLUMNS}
                rows={queues}
                keyOf={(lane) => lane.name}
                hrefOf={(lane) => hrefTo(pathOf("queues", lane.name))}
                toneOf={({ paused }) => paused ? "warn" : undefined}
                actions={canChange && !queue.paused
                  ? (lane) => <PauseButton queue={lane} onDone={reload} />
                  : undefined}
              />
            )}
      </ResourceView>
      <Pager pages={pages} count={resource.data?.queues.length ?? 0} />
    </section>
  );
}
