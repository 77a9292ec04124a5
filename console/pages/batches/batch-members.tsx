/** The members of a batch, in their order. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import type { IconName } from "../../components/icon.tsx";
import { Pager } from "../../components/pager.tsx";
import { ChoiceFilter } from "../../components/query-filters.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf, useQuery } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";

type Member = Schemas["RelatedMessage"];
type Status = NonNullable<Member["status"]>;

const STATES: Readonly<Record<Status, readonly [Tone, IconName, string]>> = {
  pending: ["info", "wait", "Waiting"],
  processing: ["info", "play", "Running"],
  retrying: ["warn", "reload", "Retrying"],
  failed: ["bad", "bad", "Failed"],
  cancelled: ["quiet", "close", "Cancelled"],
  handled: ["ok", "ok", "Handled"],
};

const COLUMNS: readonly Column<Member>[] = [
  { key: "id", title: "Message", isName: true, cell: (member) => <MemberLink member={member} /> },
  {
    key: "type",
    title: "Type",
    isWide: true,
    cell: ({ type }) =>
      type === null ? <span class="muted">–</span> : <SafeText text={type} longest={100} />,
  },
  { key: "status", title: "State", cell: ({ status }) => <MemberState status={status} /> },
];

/** Shows a page of the members. */
export function BatchMembers({ id }: { readonly id: string }): JSX.Element {
  const api = useApi();
  const [query] = useQuery();
  const status = statusOf(query.get("status"));
  const pages = usePages(
    `batch ${id} members ${status}`,
    (page, signal) =>
      answerOf(api.GET("/batches/{id}/members", {
        params: {
          path: { id },
          query: { ...page, ...(status && { status }) },
        },
        signal,
      })),
  );
  return (
    <section class="section" aria-labelledby="members-title">
      <div class="section-header">
        <h2 id="members-title">Members</h2>
        <ChoiceFilter
          label="State"
          name="status"
          choices={[
            ["", "all"],
            ...Object.entries(STATES).map(([status, [, , words]]) => [status, words] as const),
          ]}
        />
      </div>
      <ResourceView resource={pages.resource}>
        {({ members }) => (
          <>
            {members.length === 0 ? <NoMembers hasMore={pages.onNext !== undefined} /> : (
              <DataTable
                caption="Members of the batch, in their order"
                columns={COLUMNS}
                rows={members}
                keyOf={({ id }) => id}
                toneOf={({ status }) => status === "failed" ? "bad" : undefined}
              />
            )}
            <Pager pages={pages} count={members.length} />
          </>
        )}
      </ResourceView>
    </section>
  );
}

function statusOf(text: string | null): Status | undefined {
  return text !== null && text in STATES ? text as Status : undefined;
}

function NoMembers({ hasMore }: { readonly hasMore: boolean }): JSX.Element {
  return hasMore
    ? <Empty title="None among these">The next page has further members.</Empty>
    : <Empty title="No member is in this state" />;
}

function MemberLink({ member: { id, status } }: { readonly member: Member }): JSX.Element {
  if (status === null || status === "handled") return <span class="mono muted">{id}</span>;
  const area = status === "failed" || status === "cancelled" ? "dead-letters" : "messages";
  return <Link href={hrefTo(pathOf(area, id))} class="mono">{id}</Link>;
}

function MemberState({ status }: Pick<Member, "status">): JSX.Element {
  if (status === null) {
    return (
      <Badge tone="quiet" title="It is handled and was not kept, or a dead letter that was removed">
        Gone
      </Badge>
    );
  }
  const [tone, icon, words] = STATES[status];
  return <Badge tone={tone} icon={icon}>{words}</Badge>;
}
