/** One message of the outbox in full. Its payload is not among what the API tells of it. */

import type { JSX } from "preact";
import type { Schemas } from "../../api/api-client.ts";
import { Dialog } from "../../components/dialog.tsx";
import { Facts } from "../../components/facts.tsx";
import { formatNumber } from "../../components/relative-time.ts";
import { Time } from "../../components/time.tsx";
import { RawText } from "../../payload/raw-text.tsx";
import { SafeText } from "../../payload/safe-text.tsx";
import { hrefTo, Link, pathOf } from "../../shell/router.tsx";
import { OutboxState } from "./outbox-state.tsx";

/** Properties of the dialog. */
export interface OutboxDialogProps {
  readonly message: Schemas["OutboxMessage"];
  readonly onClose: () => void;
}

/** Shows the message. */
export function OutboxDialog({ message, onClose }: OutboxDialogProps): JSX.Element {
  const { id, transport, type, groupKey, refusal, expiresAt, sentAt } = message;
  return (
    <Dialog title={`Message ${id}`} onClose={onClose} isWide>
      <Facts
        facts={[
          ["State", <OutboxState key="state" message={message} />],
          [
            "Transport",
            <Link key="to" href={hrefTo(pathOf("transports", transport))}>{transport}</Link>,
          ],
          ["Type", <SafeText key="type" text={type} longest={200} />],
          ["Queue", message.queue],
          ["Group", groupKey && <SafeText key="group" text={groupKey} longest={255} />],
          ["Priority", formatNumber(message.priority)],
          ["Publication", formatNumber(message.publication)],
          ["Attempts", formatNumber(message.attempts)],
          ["Retries", formatNumber(message.retryCount)],
          ["Dispatched", <Time key="created" at={message.createdAt} />],
          ["Due", <Time key="due" at={message.availableAt} />],
          ["Expires", expiresAt && <Time key="expires" at={expiresAt} />],
          ["Sent", sentAt && <Time key="sent" at={sentAt} />],
        ]}
      />
      {refusal !== null && (
        <>
          <h3>Latest refusal</h3>
          <RawText label="Latest refusal" text={refusal} />
        </>
      )}
    </Dialog>
  );
}
