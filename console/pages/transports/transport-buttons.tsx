/** Changes of a transport: to publish now what waits, to publish again what it has lost, to make its queues. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { useDraft } from "../../api/draft.ts";
import { serverNow } from "../../api/server-clock.ts";
import type { BulkAction } from "../../bulk/bulk-action.ts";
import { BulkDialog } from "../../bulk/bulk-dialog.tsx";
import { ChangeButton } from "../../components/change-button.tsx";
import { Button, Field } from "../../components/controls.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { toMoment } from "../../filters/filter-fields.ts";
import { useApi } from "../../shell/session.tsx";

/** Properties of each button. */
export interface TransportButtonProps {
  /** Name of the transport. */
  readonly transport: string;
}

/** Asks with the dry run's count, and makes due what waits. */
export function PublishNow({ transport }: TransportButtonProps): JSX.Element {
  const [isAsking, setIsAsking] = useState(false);
  const action: BulkAction = {
    ...{ verb: "runOutbox", ids: null, body: { transport } },
    title: `delayed and refused messages that wait for ${transport}`,
  };
  return (
    <>
      <Button icon="play" label={`Publish now to ${transport}`} onClick={() => setIsAsking(true)}>
        Publish now…
      </Button>
      {isAsking && <BulkDialog action={action} onClose={() => setIsAsking(false)} />}
    </>
  );
}

/** Asks since when the transport has lost messages, then with the dry run's count. */
export function SendAgain({ transport }: TransportButtonProps): JSX.Element {
  const [isAsking, setIsAsking] = useState(false);
  const [since, setSince] = useState<string | null>(null);
  const close = () => {
    setIsAsking(false);
    setSince(null);
  };
  return (
    <>
      <Button icon="reload" label={`Send again to ${transport}`} onClick={() => setIsAsking(true)}>
        Send again…
      </Button>
      {isAsking && since === null && (
        <AskSince transport={transport} onClose={close} onSince={setSince} />
      )}
      {since !== null && (
        <BulkDialog
          action={{
            ...{ verb: "resendOutbox", ids: null, body: { transport, since } },
            title: `messages that ${transport} has confirmed since ${since}`,
          }}
          onClose={close}
        />
      )}
    </>
  );
}

interface AskSinceProps extends TransportButtonProps {
  readonly onClose: () => void;
  readonly onSince: (since: string) => void;
}

function AskSince({ transport, onClose, onSince }: AskSinceProps): JSX.Element {
  const [text, setText] = useDraft(`send again to ${transport}`, () => "1h");
  const since = toMoment(text.trim(), serverNow());
  return (
    <Dialog title={`Send again to ${transport}`} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (since !== null) onSince(since);
        }}
      >
        <p>
          For a transport that has lost messages: the outbox keeps what was sent, by default for an
          hour.
        </p>
        <Field
          label="Sent since"
          hint="A time ago such as 30m or 2h, or an ISO time"
          error={since === null ? "has to be a time ago such as 30m, or an ISO time" : undefined}
        >
          {(id, describedBy) => (
            <input
              id={id}
              aria-describedby={describedBy}
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={({ currentTarget: { value } }) => setText(value)}
            />
          )}
        </Field>
        <div class="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" isDisabled={since === null}>Count them</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Makes the queues that the project's messages need in its transports; those that are there stay. */
export function DeclareQueues(): JSX.Element {
  const api = useApi();
  const change = async () => {
    const { transports } = await answerOf(api.POST("/transports/declare", {}));
    const failed = transports.filter(({ state }) => state === "failed");
    if (failed.length > 0) {
      throw new Error(failed.map(({ name, problem }) => `${name}: ${problem}`).join("; "));
    }
    const declared = transports.filter(({ state }) => state === "declared");
    return declared.length === 0
      ? "Other projects handle the messages of all transports, and have their queues"
      : `The queues of ${declared.map(({ name }) => name).join(", ")} are there`;
  };
  return (
    <ChangeButton icon="plus" label="Declare queues" change={change}>Declare queues</ChangeButton>
  );
}
