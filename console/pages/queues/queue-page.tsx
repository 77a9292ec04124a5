/** One queue: its depth now and over time, its limits. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useTimeSeries } from "../../api/series-ranges.ts";
import { useResource } from "../../api/use-resource.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/controls.tsx";
import { FigureTile, FigureTiles } from "../../components/figure-tile.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { RangePicker, useRange } from "../../components/range-picker.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { SeriesCharts, SeriesSkeleton } from "../../components/series-charts.tsx";
import { Time } from "../../components/time.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { goTo, hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { IfCanChange, useApi } from "../../shell/session.tsx";
import { laneOf } from "./lane-names.ts";
import { PauseButton } from "./pause-button.tsx";
import { DeleteQueue, EditQueue } from "./queue-dialogs.tsx";
import { QueueLanes } from "./queue-lanes.tsx";
import { QueueLimits } from "./queue-limits.tsx";

type Queue = Schemas["Queue"];

/** The page. */
export function QueuePage({ params: { name = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const queue = useResource(
    `queue ${name}`,
    (signal) => answerOf(api.GET("/queues/{name}", { params: { path: { name } }, signal })),
  );
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const close = () => setDialog(null);
  return (
    <>
      <PageHeader
        title={name}
        above={<Above name={name} />}
        beside={queue.data && <QueueState queue={queue.data} />}
        actions={queue.data && (
          <IfCanChange>
            <PauseButton queue={queue.data} onDone={queue.reload} />
            <Button icon="edit" onClick={() => setDialog("edit")}>Limits</Button>
            <Button icon="trash" tone="danger" onClick={() => setDialog("delete")}>Delete</Button>
          </IfCanChange>
        )}
      />
      <ResourceView resource={queue}>
        {(data) => (
          <>
            <Depth queue={data} />
            <QueueLimits queue={data} />
            {laneOf(name) === null && <QueueLanes queue={data} onDone={queue.reload} />}
            {dialog === "edit" && <EditQueue queue={data} onClose={close} onDone={queue.reload} />}
            {dialog === "delete" && (
              <DeleteQueue
                queue={data}
                onClose={close}
                onDone={() => goTo(hrefTo("/queues"))}
              />
            )}
          </>
        )}
      </ResourceView>
      {/* The time series count lanes with their queue. */}
      {laneOf(name) === null && <QueueCharts name={name} />}
    </>
  );
}

function Above({ name }: { readonly name: string }): JSX.Element {
  const parent = laneOf(name)?.queue;
  return (
    <>
      <Link href={hrefTo("/queues")}>Queues</Link>
      {parent !== undefined && (
        <>
          {" / "}
          <Link href={hrefTo(pathOf("queues", parent))}>{parent}</Link>
        </>
      )}
    </>
  );
}

function QueueState({ queue: { paused, runsOn } }: { readonly queue: Queue }): JSX.Element {
  return (
    <>
      {paused ? <Badge tone="warn" icon="pause">Paused</Badge> : <Badge tone="ok">Active</Badge>}
      {runsOn === "worker" && <Badge tone="info">Workers only</Badge>}
    </>
  );
}

function Depth({ queue }: { readonly queue: Queue }): JSX.Element {
  const { name } = queue;
  const messages = (status: string) => hrefTo("/messages", { queue: name, status });
  return (
    <FigureTiles>
      <FigureTile label="Due" value={formatCount(queue.due)} href={messages("pending")} />
      <FigureTile label="Delayed" value={formatCount(queue.delayed)} href={messages("pending")} />
      <FigureTile
        label="Running"
        value={formatCount(queue.processing)}
        href={messages("processing")}
      />
      <FigureTile
        label="Blocked"
        value={formatCount(queue.blocked)}
        note="behind their group"
        href={messages("pending")}
      />
      <FigureTile
        label="Quarantined"
        value={formatCount(queue.quarantined)}
        note="run alone after a crash"
        tone={queue.quarantined.count > 0 ? "warn" : undefined}
      />
      <FigureTile label="Oldest due" value={<Time at={queue.oldestReadyAt} none="none" />} />
      <FigureTile
        label="Dead letters"
        value="Show"
        href={hrefTo("/dead-letters", { queue: name })}
      />
    </FigureTiles>
  );
}

function QueueCharts({ name }: { readonly name: string }): JSX.Element {
  const series = useTimeSeries(useApi(), useRange(), { queue: name });
  return (
    <section class="section" aria-labelledby="charts-title">
      <div class="section-header">
        <h2 id="charts-title">Over time</h2>
        <RangePicker />
      </div>
      <ResourceView resource={series} skeleton={<SeriesSkeleton />}>
        {(answer) =>
          answer ? <SeriesCharts series={answer} /> : (
            <Empty title="There are no time series">
              The functions are of an older release.
            </Empty>
          )}
      </ResourceView>
    </section>
  );
}
