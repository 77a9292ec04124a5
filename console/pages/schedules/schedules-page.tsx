/** Schedules with their latest outcomes and their next run. */

import type { JSX } from "preact";
import { answerOf, type Api, type Schemas } from "../../api/api-client.ts";
import { toProblem } from "../../api/api-problem.ts";
import { type PageQuery, usePages } from "../../api/use-pages.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Icon } from "../../components/icon.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { ChoiceFilter, TextFilter } from "../../components/query-filters.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link, pathOf, useQuery } from "../../shell/router.tsx";
import { IfCanChange, useApi, useCanChange } from "../../shell/session.tsx";
import { PauseOrResume, RunNow } from "./schedule-changes.tsx";
import { nameOf } from "./schedule-name.ts";
import { LatestOutcomes, ScheduleState, ScheduleTimes } from "./schedule-parts.tsx";
import { ScheduleTabs } from "./schedule-tabs.tsx";

type Summary = Schemas["ScheduleSummary"];

/** Outcomes that a row shows. */
const OUTCOMES = 5;

const COLUMNS: readonly Column<Summary>[] = [
  {
    key: "name",
    title: "Schedule",
    isName: true,
    cell: (schedule) => <SafeText text={nameOf(schedule)} longest={60} />,
  },
  {
    key: "type",
    title: "Message",
    cell: ({ message }) => <SafeText text={message.type} longest={60} />,
  },
  {
    key: "times",
    title: "Runs",
    isWide: true,
    cell: (schedule) => <ScheduleTimes schedule={schedule} />,
  },
  { key: "state", title: "State", cell: (schedule) => <ScheduleState schedule={schedule} /> },
  { key: "runs", title: "Latest", cell: ({ runs }) => <LatestOutcomes runs={runs ?? []} /> },
  {
    key: "next",
    title: "Next run",
    isNumber: true,
    cell: ({ nextRunAt, enabled }) =>
      enabled ? <Time at={nextRunAt} none="planned soon" /> : <Time at={null} />,
  },
];

/** Functions of an older release know no list with runs: there the column of outcomes stays empty. */
async function listSchedules(
  api: Api,
  query: PageQuery & ReturnType<typeof filterOf>,
  signal: AbortSignal,
) {
  const ask = (runs: { runs?: number }) =>
    answerOf(api.GET("/schedules", { params: { query: { ...query, ...runs } }, signal }));
  try {
    return await ask({ runs: OUTCOMES });
  } catch (error) {
    if (toProblem(error).status !== 400) throw error;
    return await ask({});
  }
}

/** The page. */
export function SchedulesPage(_: PageProps): JSX.Element {
  const api = useApi();
  const [query] = useQuery();
  const filter = filterOf(query);
  const pages = usePages(
    `schedules ${JSON.stringify(filter)}`,
    (page, signal) => listSchedules(api, { ...page, ...filter }, signal),
  );
  return (
    <>
      <PageHeader
        title="Schedules"
        actions={
          <IfCanChange>
            <Link href={hrefTo("/schedules/new")} class="button button-primary">
              <Icon name="plus" /> <span>New schedule</span>
            </Link>
          </IfCanChange>
        }
      />
      <ScheduleTabs />
      <Filters />
      <ResourceView resource={pages.resource}>
        {({ schedules }) => (
          <>
            {schedules.length === 0
              ? <NoSchedules isFiltered={query.size > 0} />
              : <ScheduleTable schedules={schedules} onChanged={pages.resource.reload} />}
            <Pager pages={pages} count={schedules.length} />
          </>
        )}
      </ResourceView>
    </>
  );
}

function ScheduleTable({ schedules, onChanged }: {
  readonly schedules: readonly Summary[];
  readonly onChanged: () => void;
}): JSX.Element {
  const canChange = useCanChange();
  const actions = (schedule: Summary) => (
    <>
      <RunNow schedule={schedule} onDone={onChanged} isShort />
      <PauseOrResume schedule={schedule} onDone={onChanged} isShort />
    </>
  );
  return (
    <DataTable
      caption="Schedules with their latest outcomes"
      columns={COLUMNS}
      rows={schedules}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => hrefTo(pathOf("schedules", id))}
      toneOf={toneOf}
      actions={canChange ? actions : undefined}
    />
  );
}

function filterOf(query: URLSearchParams) {
  const [name, type, enabled] = [query.get("name"), query.get("type"), query.get("enabled")];
  return {
    ...(name && { name }),
    ...(type && { type }),
    ...((enabled === "true" || enabled === "false") && { enabled: enabled === "true" }),
  };
}

function toneOf({ enabled, disabledBy, failingSince }: Summary): "bad" | "warn" | undefined {
  if (disabledBy === "invalid" || (enabled && failingSince !== null)) return "bad";
  return disabledBy === "pause" ? "warn" : undefined;
}

function Filters(): JSX.Element {
  return (
    <div class="filter-row">
      <TextFilter label="Name" name="name" placeholder="its whole name" isFirst />
      <TextFilter label="Message type" name="type" placeholder="EmailMessage" />
      <ChoiceFilter
        label="State"
        name="enabled"
        choices={[["", "all"], ["true", "enabled"], ["false", "disabled"]]}
      />
    </div>
  );
}

function NoSchedules({ isFiltered }: { readonly isFiltered: boolean }): JSX.Element {
  if (isFiltered) return <Empty title="No schedule matches">Names are compared as a whole.</Empty>;
  return (
    <Empty title="There are no schedules">
      A schedule dispatches messages at a time, at an interval or by a cron expression.
    </Empty>
  );
}
