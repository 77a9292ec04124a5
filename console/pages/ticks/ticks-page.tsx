/** Ticks and workers: which are alive, since when, and what they did. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { useResource } from "../../api/use-resource.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import type { IconName } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatDuration, formatNumber } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time, useNow } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import { countOf, isAlive, stateOf, type Tick, type TickState } from "./tick-state.ts";

const STATES: Readonly<Record<TickState, readonly [Tone, IconName, string, string]>> = {
  asked: ["info", "wait", "Asked for", "The request is on its way"],
  lost: ["warn", "warn", "Did not start", "The request did not arrive"],
  awake: ["ok", "play", "Awake", "It looks for messages"],
  resting: ["info", "pause", "Resting", "It looks for no messages; handlers may still run"],
  working: ["ok", "play", "Working", "A resident worker"],
  silent: ["warn", "warn", "Silent", "It gave no sign of life for a minute: it was killed"],
  ended: ["quiet", "ok", "Ended", "It is done"],
};

/** Longest list of those that are alive: the API's longest page. */
const MOST_ALIVE = 200;

const COLUMNS: readonly Column<Tick>[] = [
  { key: "name", title: "Tick or worker", isName: true, cell: (tick) => <TickName tick={tick} /> },
  { key: "state", title: "State", cell: (tick) => <StateOfTick tick={tick} /> },
  ...(["claimed", "handled", "retried", "failed"] as const).map((name): Column<Tick> => ({
    key: name,
    title: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    isNumber: true,
    cell: (tick) => {
      const count = countOf(tick, name);
      return <span class={count === 0 ? "muted" : ""}>{formatNumber(count)}</span>;
    },
  })),
  {
    key: "began",
    title: "Began",
    isNumber: true,
    cell: ({ startedAt }) => <Time at={startedAt} />,
  },
  {
    key: "seen",
    title: "Seen",
    isNumber: true,
    cell: ({ heartbeatAt }) => <Time at={heartbeatAt} />,
  },
  { key: "lasted", title: "Lasted", isNumber: true, cell: (tick) => <Lasted tick={tick} /> },
];

/** The page. */
export function TicksPage(_: PageProps): JSX.Element {
  const api = useApi();
  const pages = usePages("ticks", (page, signal) =>
    answerOf(api.GET("/ticks", {
      params: { query: page },
      signal,
    })));
  return (
    <>
      <PageHeader title="Ticks and workers" />
      {pages.number === 1 && <AliveTicks />}
      <ResourceView resource={pages.resource}>
        {({ ticks }) => (
          <>
            <h2>Latest</h2>
            {ticks.length === 0
              ? (
                <Empty title="No tick has run">
                  pg_cron asks for one each minute: see the health checks.
                </Empty>
              )
              : <TickTable caption="Ticks and workers, the latest first" ticks={ticks} />}
            <Pager pages={pages} count={ticks.length} />
          </>
        )}
      </ResourceView>
    </>
  );
}

function TickTable(
  { caption, ticks }: { readonly caption: string; readonly ticks: readonly Tick[] },
): JSX.Element {
  return (
    <DataTable
      caption={caption}
      columns={COLUMNS}
      rows={ticks}
      keyOf={({ id }) => id}
      toneOf={(tick) => countOf(tick, "failed") > 0 ? "warn" : undefined}
    />
  );
}

/** A list of its own: a worker that began months ago is on none of the first pages of the latest ticks. */
function AliveTicks(): JSX.Element {
  const api = useApi();
  const alive = useResource("ticks alive", (signal) => {
    const query = { alive: true, limit: MOST_ALIVE };
    return answerOf(api.GET("/ticks", { params: { query }, signal }));
  });
  return (
    <>
      <div class="section-header">
        <h2>Alive now</h2>
        <Link href={hrefTo("/messages", { status: "processing" })}>The messages that they run</Link>
      </div>
      <ResourceView resource={alive} skeletonRows={2}>
        {({ ticks }) =>
          ticks.length === 0
            ? <Empty title="None is alive">A dispatch, or the next minute, asks for a tick.</Empty>
            : <TickTable caption="Ticks and workers that are alive" ticks={ticks} />}
      </ResourceView>
    </>
  );
}

function TickName({ tick: { id, worker, queues } }: { readonly tick: Tick }): JSX.Element {
  if (worker === null) return <span class="mono">tick {id}</span>;
  return (
    <span>
      <SafeText text={worker} longest={60} />{" "}
      <span class="muted">{(queues ?? []).slice(0, 5).join(", ")}</span>
    </span>
  );
}

function StateOfTick({ tick }: { readonly tick: Tick }): JSX.Element {
  const [tone, icon, words, title] = STATES[stateOf(tick, useNow())];
  return <Badge tone={tone} icon={icon} title={title}>{words}</Badge>;
}

function Lasted({ tick }: { readonly tick: Tick }): JSX.Element {
  const now = useNow();
  const { startedAt, heartbeatAt, endedAt } = tick;
  if (startedAt === null) return <span class="muted">–</span>;
  const until = endedAt ?? (isAlive(stateOf(tick, now)) ? null : heartbeatAt);
  const ms = (until === null ? now : Date.parse(until)) - Date.parse(startedAt);
  return <span>{formatDuration(Math.max(0, ms))}</span>;
}
