/** One batch: its progress, its times, and the end of it on request. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Button } from "../../components/controls.tsx";
import { Confirm } from "../../components/dialog.tsx";
import { Facts } from "../../components/facts.tsx";
import { FigureTile, FigureTiles } from "../../components/figure-tile.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { toast } from "../../components/toast.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { hrefTo, Link } from "../../shell/router.tsx";
import { IfCanChange, useApi } from "../../shell/session.tsx";
import { BatchMembers } from "./batch-members.tsx";
import { type Batch, BatchProgress, BatchState } from "./batch-parts.tsx";

/** The page. */
export function BatchPage({ params: { id = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const batch = useResource(
    `batch ${id}`,
    (signal) => answerOf(api.GET("/batches/{id}", { params: { path: { id } }, signal })),
  );
  const [isCancelling, setIsCancelling] = useState(false);
  const { data } = batch;
  const canCancel = data?.status === "open" || data?.status === "running";
  return (
    <>
      <PageHeader
        title={data?.name ?? `Batch ${id}`}
        above={<Link href={hrefTo("/batches")}>Batches</Link>}
        beside={data && <BatchState status={data.status} />}
        actions={canCancel && (
          <IfCanChange>
            <Button tone="danger" icon="close" onClick={() => setIsCancelling(true)}>
              Cancel batch
            </Button>
          </IfCanChange>
        )}
      />
      <ResourceView resource={batch}>
        {(batch) => (
          <>
            <Counts batch={batch} />
            <Times batch={batch} />
            <BatchMembers id={batch.id} />
          </>
        )}
      </ResourceView>
      {isCancelling && data && (
        <CancelBatch
          batch={data}
          onClose={() => setIsCancelling(false)}
          onDone={batch.reload}
        />
      )}
    </>
  );
}

function Counts({ batch }: { readonly batch: Batch }): JSX.Element {
  const { total, handled, failed, pending } = batch;
  return (
    <>
      <div class="batch-progress-large">
        <BatchProgress batch={batch} />
      </div>
      <FigureTiles>
        <FigureTile label="Members" value={formatNumber(total)} />
        <FigureTile label="Handled" value={formatNumber(handled)} />
        <FigureTile
          label="Failed"
          value={formatNumber(failed)}
          note="dead letters, or removed as such"
          tone={failed > 0 ? "bad" : undefined}
        />
        <FigureTile label="Waiting or running" value={formatNumber(pending)} />
      </FigureTiles>
    </>
  );
}

function Times({ batch }: { readonly batch: Batch }): JSX.Element {
  return (
    <Facts
      facts={[
        ["Id", <span key="id" class="mono">{batch.id}</span>],
        [
          "Types",
          <ul key="types">
            {batch.types.map((type) => (
              <li key={type}>
                <Link href={hrefTo("/messages", { type })}>
                  <SafeText text={type} longest={100} />
                </Link>
              </li>
            ))}
          </ul>,
        ],
        ["Begun", <Time key="begun" at={batch.createdAt} />],
        ["Complete since", <Time key="sealed" at={batch.sealedAt} none="it takes more members" />],
        ["First dead letter", <Time key="failed" at={batch.failedAt} none="none" />],
        ["Finished", <Time key="finished" at={batch.finishedAt} none="not yet" />],
        ["All handled", <Time key="succeeded" at={batch.succeededAt} none="not yet" />],
        ["Cancelled", batch.cancelledAt ? <Time key="cancelled" at={batch.cancelledAt} /> : null],
      ]}
    />
  );
}

interface CancelBatchProps {
  readonly batch: Batch;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function CancelBatch({ batch, onClose, onDone }: CancelBatchProps): JSX.Element {
  const api = useApi();
  const { id, name, pending } = batch;
  const cancel = async () => {
    let cursor: string | null = null;
    let done = 0;
    // Each request works for 10 s at most; sweeps continue what no request continues.
    do {
      const answer: { done: number; running: number; next: string | null } = await answerOf(
        api.POST("/batches/{id}/cancel", {
          params: { path: { id } },
          body: { dryRun: false, ...(cursor !== null && { cursor }) },
        }),
      );
      done += answer.done + answer.running;
      cursor = answer.next;
    } while (cursor !== null);
    toast(`${name}: ${formatNumber(done)} members are cancelled`);
    onDone();
  };
  return (
    <Confirm
      title={`Cancel ${name}?`}
      verb="Cancel batch"
      isDangerous
      onConfirm={cancel}
      onClose={onClose}
    >
      <p>
        It takes no further member. {formatNumber(pending)}{" "}
        members wait or run: those that wait become dead letters, those that run are stopped.
      </p>
    </Confirm>
  );
}
