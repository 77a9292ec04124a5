/** The dialogs that make and change a webhook endpoint, rotate its secret, and delete it. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { useAction } from "../../api/use-action.ts";
import { Button, Field } from "../../components/controls.tsx";
import { Confirm, Dialog } from "../../components/dialog.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { toast } from "../../components/toast.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { CopyButton } from "../../payload/copy-button.tsx";
import { useApi } from "../../shell/session.tsx";
import {
  type Endpoint,
  ENDPOINT_FIELDS,
  NEW_ENDPOINT,
  NEW_ENDPOINT_FIELDS,
} from "./endpoint-parts.tsx";

/** Properties of each dialog. */
export interface EndpointDialogProps {
  readonly endpoint: Endpoint;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Makes an endpoint, and shows the secret that was made for it. */
export function CreateEndpoint(
  { onClose, onDone }: Omit<EndpointDialogProps, "endpoint">,
): JSX.Element {
  const api = useApi();
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  if (made) return <NewSecret {...made} onClose={onClose} />;
  return (
    <FormDialog
      title="New endpoint"
      draft="new endpoint"
      fields={() => NEW_ENDPOINT_FIELDS}
      object={null}
      initial={NEW_ENDPOINT}
      onClose={onClose}
      onSaved={() => {}}
      onSave={async (values) => {
        // The form does not save without the two.
        const body = values as { name: string; url: string };
        const { secret } = await answerOf(api.POST("/webhooks", { body }));
        toast(`The endpoint ${body.name} is made`);
        onDone();
        if (secret === undefined) onClose();
        else setMade({ name: body.name, secret });
      }}
    />
  );
}

/** Changes the settings of an endpoint. */
export function EditEndpoint({ endpoint, onClose, onDone }: EndpointDialogProps): JSX.Element {
  const api = useApi();
  const { name } = endpoint;
  return (
    <FormDialog
      title={`Settings of ${name}`}
      draft={`endpoint ${name}`}
      fields={() => ENDPOINT_FIELDS}
      object={endpoint}
      onClose={onClose}
      onSave={async (body) => {
        await answerOf(api.PATCH("/webhooks/{name}", { params: { path: { name } }, body }));
        toast(`${name} is changed`);
        onDone();
      }}
    />
  );
}

const OVERLAPS = [["1h", "1 hour"], ["24h", "1 day"], ["7d", "7 days"], [
  "30d",
  "30 days",
]] as const;

/** Makes a new secret and shows it once. */
export function RotateSecret({ endpoint, onClose, onDone }: EndpointDialogProps): JSX.Element {
  const api = useApi();
  const { name } = endpoint;
  const [overlap, setOverlap] = useState("24h");
  const [secret, setSecret] = useState<string | null>(null);
  const action = useAction(async () => {
    const answer = await answerOf(api.POST("/webhooks/{name}/rotate-secret", {
      params: { path: { name } },
      body: { overlap },
    }));
    setSecret(answer.secret ?? "");
    onDone();
  });
  if (secret !== null) return <NewSecret {...{ name, secret, onClose }} />;
  return (
    <Dialog title={`Rotate the secret of ${name}`} onClose={action.isRunning ? null : onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void action.run();
        }}
      >
        <p>For a while both secrets sign each call, so that the receiver can change at any time.</p>
        <Field label="Both sign for">
          {(id) => (
            <select
              id={id}
              value={overlap}
              onChange={({ currentTarget: { value } }) => setOverlap(value)}
            >
              {OVERLAPS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
            </select>
          )}
        </Field>
        {action.error && <ProblemNote problem={action.error} />}
        <div class="dialog-actions">
          <Button isDisabled={action.isRunning} onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" isBusy={action.isRunning}>Rotate</Button>
        </div>
      </form>
    </Dialog>
  );
}

interface NewSecretProps {
  readonly name: string;
  readonly secret: string;
  readonly onClose: () => void;
}

/** Shows a secret once; a key of the browser that closes other dialogs must not lose it. */
function NewSecret({ name, secret, onClose }: NewSecretProps): JSX.Element {
  return (
    <Dialog title={`The secret of ${name}`} onClose={null}>
      <p>Give it to the receiver. It is not shown again.</p>
      <p class="secret">
        <code class="mono">{secret}</code>
        <CopyButton title="Secret" text={secret} />
      </p>
      <div class="dialog-actions">
        <Button tone="primary" onClick={onClose}>Done</Button>
      </div>
    </Dialog>
  );
}

/** Deletes an endpoint. */
export function DeleteEndpoint({ endpoint, onClose, onDone }: EndpointDialogProps): JSX.Element {
  const api = useApi();
  const { name } = endpoint;
  return (
    <Confirm
      title={`Delete ${name}`}
      verb="Delete"
      isDangerous
      typed={name}
      onClose={onClose}
      onConfirm={async () => {
        await answerOf(api.DELETE("/webhooks/{name}", { params: { path: { name } } }));
        toast(`The endpoint ${name} is deleted`);
        onDone();
      }}
    >
      Events that wait for it become dead letters.
    </Confirm>
  );
}
