/** The dialogs that make, change and delete a queue. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { Confirm } from "../../components/dialog.tsx";
import { toast } from "../../components/toast.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useApi } from "../../shell/session.tsx";
import { laneOf } from "./lane-names.ts";
import { LANE_FIELDS, NEW_QUEUE, NEW_QUEUE_FIELDS, QUEUE_FIELDS } from "./queue-fields.ts";

type Queue = Schemas["Queue"];

/** Properties of each dialog. */
export interface QueueDialogProps {
  readonly queue: Queue;
  readonly onClose: () => void;
  /** Called after the change, so that the page asks again. */
  readonly onDone: () => void;
}

/** Changes the limits of a queue. */
export function EditQueue({ queue, onClose, onDone }: QueueDialogProps): JSX.Element {
  const api = useApi();
  const { name } = queue;
  return (
    <FormDialog
      title={`Limits of ${name}`}
      draft={`queue ${name}`}
      fields={() => laneOf(name) === null ? QUEUE_FIELDS : LANE_FIELDS}
      object={queue}
      onClose={onClose}
      onSave={async (body) => {
        await answerOf(api.PATCH("/queues/{name}", { params: { path: { name } }, body }));
        toast(`The limits of ${name} are changed`);
        onDone();
      }}
    />
  );
}

/** Makes a queue before its first message. */
export function CreateQueue(
  { onClose, onDone }: Omit<QueueDialogProps, "queue">,
): JSX.Element {
  const api = useApi();
  return (
    <FormDialog
      title="New queue"
      draft="new queue"
      fields={() => NEW_QUEUE_FIELDS}
      object={null}
      initial={NEW_QUEUE}
      onClose={onClose}
      onSave={async (values) => {
        // The form does not save without a name.
        const { name } = await answerOf(api.POST("/queues", { body: values as { name: string } }));
        toast(`The queue ${name} is made`);
        onDone();
      }}
    />
  );
}

/** Deletes a queue that holds no messages. */
export function DeleteQueue({ queue, onClose, onDone }: QueueDialogProps): JSX.Element {
  const api = useApi();
  return (
    <Confirm
      title={`Delete ${queue.name}`}
      verb="Delete"
      isDangerous
      typed={queue.name}
      onClose={onClose}
      onConfirm={async () => {
        await answerOf(api.DELETE("/queues/{name}", { params: { path: { name: queue.name } } }));
        toast(`The queue ${queue.name} is deleted`);
        onDone();
      }}
    >
      Its settings go with it. A queue that holds messages is not deleted.
    </Confirm>
  );
}
