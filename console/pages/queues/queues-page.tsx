/** Queues with their depth. */

import type { JSX } from "preact";
import { useId, useMemo, useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { usePages } from "../../api/use-pages.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/controls.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Pager } from "../../components/pager.tsx";
import { formatCount } from "../../components/relative-time.ts";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Sparkline } from "../../components/sparkline.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { goTo, hrefTo, pathOf } from "../../shell/router.tsx";
import { IfCanChange, useApi, useCanChange } from "../../shell/session.tsx";
import { PauseButton } from "./pause-button.tsx";
import { RUNNING_AND_OLDEST } from "./queue-columns.tsx";
import { CreateQueue } from "./queue-dialogs.tsx";
import { useBacklogs } from "./use-backlogs.ts";

type Queue = Schemas["Queue"];

/** Columns of the list; `backlogs` has each queue's line. */
const columnsOf = (
  backlogs: ReadonlyMap<string, readonly number[]>,
): readonly Column<Queue>[] => [
  { key: "name", title: "Queue", isName: true, isWide: true, cell: ({ name }) => name },
  {
    key: "state",
    title: "State",
    cell: ({ paused }) =>
      paused ? <Badge tone="warn" icon="pause">Paused</Badge> : <Badge tone="ok">Active</Badge>,
  },
  { key: "due", title: "Due", isNumber: true, cell: ({ due }) => formatCount(due) },
  {
    key: "line",
    title: "Last hour",
    cell: ({ name }) => {
      const values = backlogs.get(name) ?? [];
      const largest = Math.max(0, ...values);
      return (
        <Sparkline
          label={`Due messages of ${name} in the last hour: at most ${largest}`}
          values={values}
        />
      );
    },
  },
  { key: "delayed", title: "Delayed", isNumber: true, cell: ({ delayed }) => formatCount(delayed) },
  ...RUNNING_AND_OLDEST,
];

/** The page. */
export function QueuesPage(_: PageProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const [isCreating, setIsCreating] = useState(false);
  const pages = usePages("queues", (page, signal) =>
    answerOf(api.GET("/queues", {
      params: { query: page },
      signal,
    })));
  const { resource } = pages;
  return (
    <>
      <PageHeader
        title="Queues"
        actions={
          <>
            <GoToQueue names={resource.data?.queues.map(({ name }) => name) ?? []} />
            <IfCanChange>
              <Button icon="plus" onClick={() => setIsCreating(true)}>New queue</Button>
            </IfCanChange>
          </>
        }
      />
      <ResourceView resource={resource}>
        {({ queues }) => (
          <>
            <QueueTable
              queues={queues}
              actions={canChange
                ? (queue) => <PauseButton queue={queue} onDone={resource.reload} />
                : undefined}
            />
            <Pager pages={pages} count={queues.length} />
          </>
        )}
      </ResourceView>
      {isCreating && <CreateQueue onClose={() => setIsCreating(false)} onDone={resource.reload} />}
    </>
  );
}

function QueueTable({ queues, actions }: {
  readonly queues: readonly Queue[];
  readonly actions: ((queue: Queue) => JSX.Element) | undefined;
}): JSX.Element {
  const backlogs = useBacklogs(queues.map(({ name }) => name));
  const columns = useMemo(() => columnsOf(backlogs), [backlogs]);
  if (queues.length === 0) {
    return <Empty title="There are no queues">The first dispatch makes the queue default.</Empty>;
  }
  return (
    <DataTable
      caption="Queues with their depth"
      columns={columns}
      rows={queues}
      keyOf={({ name }) => name}
      hrefOf={({ name }) => hrefTo(pathOf("queues", name))}
      toneOf={({ paused }) => paused ? "warn" : undefined}
      actions={actions}
    />
  );
}

/** Opens a queue by its name: there may be thousands, and the list shows 50. */
function GoToQueue({ names }: { readonly names: readonly string[] }): JSX.Element {
  const [name, setName] = useState("");
  const listId = useId();
  return (
    <form
      class="go-to"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) goTo(hrefTo(pathOf("queues", name.trim())));
      }}
    >
      <input
        data-filter
        type="search"
        aria-label="Open a queue by its name"
        placeholder="Open a queue"
        autocomplete="off"
        spellcheck={false}
        list={listId}
        value={name}
        onInput={({ currentTarget: { value } }) => setName(value)}
      />
      <datalist id={listId}>{names.map((one) => <option key={one} value={one} />)}</datalist>
    </form>
  );
}
