/** The channels of alerts. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { Badge } from "../../components/badge.tsx";
import { ChangeButton } from "../../components/change-button.tsx";
import { Button } from "../../components/controls.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { Empty, ResourceView } from "../../components/resource-view.tsx";
import { Time } from "../../components/time.tsx";
import { hrefTo, Link } from "../../shell/router.tsx";
import { useApi, useCanChange } from "../../shell/session.tsx";
import { DeliveryState } from "./alert-parts.tsx";
import { type Channel, CreateChannel, DeleteChannel, EditChannel } from "./channel-dialogs.tsx";

const COLUMNS: readonly Column<Channel>[] = [
  {
    key: "name",
    title: "Channel",
    isName: true,
    isWide: true,
    cell: ({ name, isDefault }) => (
      <>
        {name} {isDefault && <Badge tone="info">default</Badge>}
      </>
    ),
  },
  { key: "kind", title: "Kind", cell: ({ kind }) => kind },
  { key: "to", title: "To", cell: ({ host, messageType }) => host ?? messageType ?? "–" },
  { key: "signed", title: "Signed", cell: ({ signed }) => signed ? "yes" : "no" },
  { key: "last", title: "Last delivery", cell: (channel) => <LastDelivery channel={channel} /> },
];

/** Properties of the list. */
export interface ChannelsProps {
  readonly isCreating: boolean;
  readonly onClose: () => void;
}

/** Shows the channels. */
export function Channels({ isCreating, onClose }: ChannelsProps): JSX.Element {
  const api = useApi();
  const canChange = useCanChange();
  const channels = useResource(
    "channels",
    (signal) => answerOf(api.GET("/alert-channels", { signal })),
  );
  const [asked, setAsked] = useState<{ dialog: "edit" | "delete"; channel: Channel } | null>(null);
  const Asked = asked?.dialog === "edit" ? EditChannel : DeleteChannel;
  return (
    <>
      <ResourceView resource={channels}>
        {({ channels: rows }) =>
          rows.length === 0
            ? <Empty title="There is no channel">Alerts are told as soon as there is one.</Empty>
            : (
              <DataTable
                caption="Channels by name"
                columns={COLUMNS}
                rows={rows}
                keyOf={({ name }) => name}
                toneOf={({ lastDelivery }) => lastDelivery?.status === "failed" ? "bad" : undefined}
                actions={canChange
                  ? (channel) => (
                    <ChannelButtons
                      channel={channel}
                      onAsk={(dialog) => setAsked({ dialog, channel })}
                      onDone={channels.reload}
                    />
                  )
                  : undefined}
              />
            )}
      </ResourceView>
      {isCreating && <CreateChannel onClose={onClose} onDone={channels.reload} />}
      {asked && (
        <Asked
          channel={asked.channel}
          onClose={() => setAsked(null)}
          onDone={channels.reload}
        />
      )}
    </>
  );
}

function LastDelivery({ channel: { lastDelivery } }: { readonly channel: Channel }): JSX.Element {
  if (lastDelivery === null) return <span class="muted">none yet</span>;
  return (
    <Link href={hrefTo("/alerts", { view: "deliveries", delivery: lastDelivery.id })}>
      <DeliveryState delivery={lastDelivery} /> <Time at={lastDelivery.createdAt} />
    </Link>
  );
}

interface ChannelButtonsProps {
  readonly channel: Channel;
  readonly onAsk: (dialog: "edit" | "delete") => void;
  readonly onDone: () => void;
}

function ChannelButtons({ channel: { name }, onAsk, onDone }: ChannelButtonsProps): JSX.Element {
  const api = useApi();
  const test = async () => {
    const params = { path: { name } };
    return outcomeWords(name, await answerOf(api.POST("/alert-channels/{name}/test", { params })));
  };
  return (
    <span class="row-buttons">
      <ChangeButton icon="play" label={`Test ${name}`} change={test} onDone={onDone}>
        Test
      </ChangeButton>
      <Button tone="quiet" icon="edit" label={`Edit ${name}`} onClick={() => onAsk("edit")} />
      <Button tone="quiet" icon="trash" label={`Delete ${name}`} onClick={() => onAsk("delete")} />
    </span>
  );
}

/** A test that did not arrive is a failure of the button. @throws Error with the receiver's words */
function outcomeWords(name: string, delivery: Schemas["AlertDelivery"]): string {
  if (delivery.status === "failed") throw new Error(delivery.error ?? "The test did not arrive.");
  return delivery.status === "delivered"
    ? `${name}: the test has arrived`
    : `${name}: the test is sent; its delivery will show whether it arrived`;
}
