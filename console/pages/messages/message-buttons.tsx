/** Run now and cancel, of one message. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { Button } from "../../components/controls.tsx";
import { Confirm } from "../../components/dialog.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { useNow } from "../../components/time.tsx";
import { toast } from "../../components/toast.tsx";
import { useAction } from "../../api/use-action.ts";
import { useApi } from "../../shell/session.tsx";
import { canRunNow } from "./message-state.tsx";

/** Properties of the buttons. */
export interface MessageButtonsProps {
  readonly message: Omit<Schemas["MessageSummary"], "user">;
  /** Called after a change. */
  readonly onDone: () => void;
  /** Icons alone, for a row of a table. */
  readonly isShort?: boolean;
}

/** Shows the buttons that change anything in the message's state. */
export function MessageButtons({ message, onDone, isShort }: MessageButtonsProps): JSX.Element {
  const api = useApi();
  const now = useNow();
  const [asks, setAsks] = useState(false);
  const { id, status, cancelled } = message;
  const params = { path: { id } };
  const run = useAction(async () => {
    await answerOf(api.POST("/messages/{id}/run", { params }));
    toast(`${id} is due now`);
    onDone();
  });
  const label = (verb: string) => isShort ? { label: `${verb} ${id}` } : {};
  return (
    <span class="row-buttons">
      {canRunNow(message, now) && (
        <Button
          tone={isShort ? "quiet" : "primary"}
          icon="play"
          isBusy={run.isRunning}
          onClick={() => void run.run()}
          {...label("Run now")}
        >
          {!isShort && "Run now"}
        </Button>
      )}
      {!(status === "processing" && cancelled) && (
        <Button
          {...(isShort && { tone: "quiet" })}
          icon="close"
          onClick={() => setAsks(true)}
          {...label("Cancel")}
        >
          {!isShort && "Cancel…"}
        </Button>
      )}
      {run.error && <ProblemNote problem={run.error} />}
      {asks && <AskCancel message={message} onDone={onDone} onClose={() => setAsks(false)} />}
    </span>
  );
}

interface AskCancelProps {
  readonly message: Omit<Schemas["MessageSummary"], "user">;
  readonly onDone: () => void;
  readonly onClose: () => void;
}

function AskCancel({ message: { id, status }, onDone, onClose }: AskCancelProps): JSX.Element {
  const api = useApi();
  const cancel = async () => {
    const { done } = await answerOf(
      api.POST("/messages/{id}/cancel", { params: { path: { id } } }),
    );
    toast(done > 0 ? `${id} is cancelled: it is a dead letter now` : `${id} is told to stop`);
    onDone();
  };
  return (
    <Confirm
      title={`Cancel message ${id}`}
      verb="Cancel the message"
      isDangerous
      onConfirm={cancel}
      onClose={onClose}
    >
      <p>
        {status === "processing"
          ? "Its handler is told to stop at the next heartbeat; then it becomes a dead letter."
          : "It becomes a dead letter at once; a redrive takes it back."}
      </p>
    </Confirm>
  );
}
