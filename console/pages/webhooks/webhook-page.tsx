/** One webhook endpoint: its state and settings, and the attempts to deliver to it. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Button } from "../../components/controls.tsx";
import { Facts } from "../../components/facts.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { formatDuration } from "../../components/relative-time.ts";
import { ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import type { PageProps } from "../../shell/page-props.ts";
import { fromHere, hrefTo, Link } from "../../shell/router.tsx";
import { IfCanChange, useApi } from "../../shell/session.tsx";
import { EnableEndpoint, TestEndpoint } from "./endpoint-buttons.tsx";
import { DeleteEndpoint, EditEndpoint, RotateSecret } from "./endpoint-dialogs.tsx";
import { type Endpoint, EndpointState, rateWords } from "./endpoint-parts.tsx";
import { WebhookDeliveries } from "./webhook-deliveries.tsx";

/** The page. */
export function WebhookPage({ params: { name = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const endpoint = useResource(
    `endpoint ${name}`,
    (signal) => answerOf(api.GET("/webhooks/{name}", { params: { path: { name } }, signal })),
  );
  const [dialog, setDialog] = useState<{ Asked: typeof EditEndpoint } | null>(null);
  const ask = (Asked: typeof EditEndpoint) => setDialog({ Asked });
  const { data, reload } = endpoint;
  const [leave] = useState(fromHere);
  return (
    <>
      <PageHeader
        title={name}
        above={<Link href={hrefTo("/webhooks")}>Webhooks</Link>}
        beside={data && <EndpointState endpoint={data} />}
        actions={data && (
          <IfCanChange>
            <TestEndpoint endpoint={data} onDone={reload} />
            <EnableEndpoint endpoint={data} onDone={reload} />
            <Button icon="edit" onClick={() => ask(EditEndpoint)}>Edit</Button>
            <Button icon="reload" onClick={() => ask(RotateSecret)}>Rotate secret</Button>
            <Button icon="trash" tone="danger" onClick={() => ask(DeleteEndpoint)}>Delete</Button>
          </IfCanChange>
        )}
      />
      <ResourceView resource={endpoint}>
        {(data) => (
          <>
            <EndpointFacts endpoint={data} />
            {dialog && (
              <dialog.Asked
                endpoint={data}
                onClose={() => setDialog(null)}
                onDone={dialog.Asked === DeleteEndpoint ? () => leave(hrefTo("/webhooks")) : reload}
              />
            )}
          </>
        )}
      </ResourceView>
      <h2>Deliveries</h2>
      <WebhookDeliveries endpoint={name} />
    </>
  );
}

function EndpointFacts({ endpoint }: { readonly endpoint: Endpoint }): JSX.Element {
  const { url, events, secret, previousUntil, disableAfterMs, disabledReason } = endpoint;
  return (
    <Facts
      facts={[
        ["URL", <SafeText key="url" text={url} longest={500} />],
        ["Events", <SafeText key="events" text={events.join(" ")} longest={1_000} />],
        ["Rate limit", rateWords(endpoint)],
        ["Disabled after", disableAfterMs === null ? "never" : formatDuration(disableAfterMs)],
        ["Secret", <span key="secret" class="mono">{secret}</span>],
        ["Former secret until", previousUntil && <Time key="until" at={previousUntil} />],
        ["Failing since", <Time key="failing" at={endpoint.failingSince} />],
        ["Disabled", endpoint.disabledAt && <Time key="disabled" at={endpoint.disabledAt} />],
        ["Reason", disabledReason && <SafeText key="reason" text={disabledReason} longest={500} />],
        ["Made", <Time key="made" at={endpoint.createdAt} />],
      ]}
    />
  );
}
