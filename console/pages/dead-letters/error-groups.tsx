/** Dead letters grouped by type, reason and error, the largest groups first. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { serverNow } from "../../api/server-clock.ts";
import { usePages } from "../../api/use-pages.ts";
import type { BulkAction, BulkVerb } from "../../bulk/bulk-action.ts";
import { BulkDialog } from "../../bulk/bulk-dialog.tsx";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/controls.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { type Filter, toRequest } from "../../filters/filter-fields.ts";
import { DEAD_LETTER_FIELDS, describeFilter } from "../../filters/message-fields.ts";
import type { SeenRow } from "../../filters/use-filter.ts";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { NoDeadLetters } from "./no-dead-letters.tsx";

type Group = Schemas["FailedMessageGroup"];

const COLUMNS: readonly Column<Group>[] = [
  {
    key: "error",
    title: "Error",
    isWide: true,
    isName: true,
    cell: ({ error }) =>
      error === null
        ? <span class="muted">without an error</span>
        : <SafeText text={error} longest={300} />,
  },
  { key: "type", title: "Type", cell: ({ type }) => <SafeText text={type} longest={80} /> },
  { key: "reason", title: "Reason", cell: ({ reason }) => <Badge tone="bad">{reason}</Badge> },
  { key: "count", title: "Count", isNumber: true, cell: ({ count }) => formatNumber(count) },
  { key: "first", title: "First", cell: ({ firstFailedAt }) => <Time at={firstFailedAt} /> },
  { key: "last", title: "Last", cell: ({ lastFailedAt }) => <Time at={lastFailedAt} /> },
];

/** A change that is asked for, and how many it should meet if all dead letters were read. */
interface Asked {
  readonly action: BulkAction;
  readonly expected: number | undefined;
}

/** Properties of the groups. */
export interface ErrorGroupsProps {
  readonly filter: Filter;
  /** Whether the filter is all of what the address asks for; otherwise no group can be changed. */
  readonly isWhole: boolean;
  /** Told the rows that came, for suggestions. */
  readonly onRows: (rows: readonly SeenRow[]) => void;
}

/** Shows the groups; each leads to its dead letters. */
export function ErrorGroups({ filter, isWhole, onRows }: ErrorGroupsProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange() && isWhole;
  const [asked, setAsked] = useState<Asked | null>(null);
  const pages = usePages(`groups ${JSON.stringify(filter)}`, async (page, signal) => {
    const request = toRequest(DEAD_LETTER_FIELDS, filter, serverNow());
    const query = { ...request, ...page };
    const found = await answerOf(
      api.GET("/failed-messages/groups", { params: { query: query as never }, signal }),
    );
    onRows(found.groups);
    return found;
  });
  const isOnePage = pages.resource.data?.next === null && pages.number === 1;
  const ask = (verb: BulkVerb, group: Group) =>
    setAsked({
      action: actionOf(verb, filter, group),
      expected: isOnePage ? group.count : undefined,
    });
  return (
    <>
      <ResourceView resource={pages.resource} skeletonRows={10}>
        {({ groups, next, scanned, leftOut }) =>
          groups.length === 0 && next === null
            ? <NoDeadLetters isFiltered={Object.keys(filter).length > 0} />
            : (
              <>
                <DataTable<Group>
                  caption="Dead letters by error, the largest groups first"
                  columns={COLUMNS}
                  rows={groups}
                  keyOf={({ lastId }) => lastId}
                  hrefOf={(group) =>
                    hrefTo("/dead-letters", { ...filterOf(filter, group), view: "list" })}
                  actions={canChange
                    ? (group) => <GroupButtons group={group} onAsk={ask} />
                    : undefined}
                />
                <Scanned {...{ next, scanned, leftOut }} />
              </>
            )}
      </ResourceView>
      <Pager pages={pages} count={pages.resource.data?.groups.length ?? 0} />
      {asked && <BulkDialog {...asked} onClose={() => setAsked(null)} />}
    </>
  );
}

interface ScannedProps {
  readonly next: string | null;
  readonly scanned: number;
  readonly leftOut: number;
}

function Scanned({ next, scanned, leftOut }: ScannedProps): JSX.Element {
  const count = formatNumber(scanned);
  return (
    <p class="muted list-note">
      {next === null
        ? `Of ${count} dead letters.`
        : `Of the ${count} that failed last; the next page has earlier ones.`}
      {leftOut > 0 && ` ${formatNumber(leftOut)} smaller groups are left out.`}
    </p>
  );
}

interface GroupButtonsProps {
  readonly group: Group;
  readonly onAsk: (verb: BulkVerb, group: Group) => void;
}

/** No filter means dead letters without an error: those are changed one by one, or by a selection. */
function GroupButtons({ group, onAsk }: GroupButtonsProps): JSX.Element | null {
  if (!hasError(group)) return null;
  return (
    <span class="row-buttons">
      <Button icon="reload" onClick={() => onAsk("redrive", group)}>Redrive…</Button>
      <Button tone="quiet" icon="trash" label="Remove…" onClick={() => onAsk("remove", group)} />
    </span>
  );
}

const hasError = ({ error }: Group) => error !== null && error.trim() !== "";

/** The filter of a group: its texts are those of the filter as well. */
function filterOf(filter: Filter, group: Group): Filter {
  const { type, reason, error } = group;
  return { ...filter, type, reason, ...(error !== null && hasError(group) && { error }) };
}

function actionOf(verb: BulkVerb, filter: Filter, group: Group): BulkAction {
  const all = filterOf(filter, group);
  return {
    verb,
    ids: null,
    title: describeFilter("dead letters", DEAD_LETTER_FIELDS, all),
    body: toRequest(DEAD_LETTER_FIELDS, all, serverNow()),
  };
}
