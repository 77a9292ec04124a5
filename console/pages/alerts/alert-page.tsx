/** One alert: its state, its settings, and what was told of it. */

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
import { DeleteAlert, EditAlert, EnableAlert } from "./alert-changes.tsx";
import { AlertDeliveries } from "./alert-deliveries.tsx";
import { type Alert, AlertState } from "./alert-parts.tsx";
import { formatValue, limitOf, ruleWords } from "./alert-rules.ts";

/** The page. */
export function AlertPage({ params: { name = "" } }: PageProps): JSX.Element {
  const api = useApi();
  const alert = useResource(
    `alert ${name}`,
    (signal) => answerOf(api.GET("/alerts/{name}", { params: { path: { name } }, signal })),
  );
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const close = () => setDialog(null);
  const { data } = alert;
  return (
    <>
      <PageHeader
        title={name}
        above={<Link href={hrefTo("/alerts")}>Alerts</Link>}
        beside={data && <AlertState alert={data} />}
        actions={data && (
          <IfCanChange>
            <EnableAlert alert={data} onDone={alert.reload} />
            <Button icon="edit" onClick={() => setDialog("edit")}>Edit</Button>
            <Button icon="trash" tone="danger" onClick={() => setDialog("delete")}>Delete</Button>
          </IfCanChange>
        )}
      />
      <ResourceView resource={alert}>
        {(data) => (
          <>
            <AlertFacts alert={data} />
            {dialog === "edit" && <EditAlert alert={data} onClose={close} onDone={alert.reload} />}
            {dialog === "delete" && <Deletion alert={data} onClose={close} />}
          </>
        )}
      </ResourceView>
      <h2>Deliveries</h2>
      <AlertDeliveries alert={name} />
    </>
  );
}

function Deletion(
  { alert, onClose }: { readonly alert: Alert; readonly onClose: () => void },
): JSX.Element {
  const [leave] = useState(fromHere);
  return <DeleteAlert alert={alert} onClose={onClose} onDone={() => leave(hrefTo("/alerts"))} />;
}

function AlertFacts({ alert }: { readonly alert: Alert }): JSX.Element {
  const { rule, value, windowMs, channel, cooldownMs, subject, error } = alert;
  const narrowing = [alert.type, alert.reason, alert.queue, alert.schedule].filter(Boolean);
  return (
    <Facts
      facts={[
        ["Fires on", ruleWords(rule)],
        ["Only of", narrowing.length > 0 ? narrowing.join(", ") : null],
        ["Value", formatValue(rule, value)],
        ["Fires from", limitOf(alert)],
        ["Window", windowMs === null ? null : formatDuration(windowMs)],
        ["Most of all", subject && <SafeText key="subject" text={subject} longest={200} />],
        ["In this state", <Time key="since" at={alert.since} />],
        ["Last told", <Time key="told" at={alert.toldAt} none="never" />],
        ["Last checked", <Time key="checked" at={alert.checkedAt} none="never" />],
        ["Channel", channel ?? "the default one"],
        ["Cooldown", formatDuration(cooldownMs)],
        ["Check failed", error && <SafeText key="error" text={error} longest={1_000} />],
      ]}
    />
  );
}
