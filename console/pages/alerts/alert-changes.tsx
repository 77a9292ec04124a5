/** Changes of an alert: a button and dialogs. */

import type { JSX } from "preact";
import { answerOf } from "../../api/api-client.ts";
import { useResource } from "../../api/use-resource.ts";
import { ChangeButton } from "../../components/change-button.tsx";
import { Confirm } from "../../components/dialog.tsx";
import { toast } from "../../components/toast.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { useApi } from "../../shell/session.tsx";
import type { Alert } from "./alert-parts.tsx";
import { alertFields, newAlertFields, type Rule } from "./alert-rules.ts";

/** Properties of each change. */
export interface AlertChangeProps {
  readonly alert: Alert;
  readonly onDone: () => void;
}

/** Properties of each dialog. */
export interface AlertDialogProps extends AlertChangeProps {
  readonly onClose: () => void;
}

/** Switches an alert off or on. */
export function EnableAlert({ alert: { name, enabled }, onDone }: AlertChangeProps): JSX.Element {
  const api = useApi();
  const change = async () => {
    await answerOf(api.PATCH("/alerts/{name}", {
      params: { path: { name } },
      body: { enabled: !enabled },
    }));
    return enabled ? `${name} is disabled: it is not checked` : `${name} is enabled`;
  };
  return (
    <ChangeButton
      icon={enabled ? "pause" : "play"}
      label={enabled ? `Disable ${name}` : `Enable ${name}`}
      {...{ change, onDone }}
    >
      {enabled ? "Disable" : "Enable"}
    </ChangeButton>
  );
}

/** Makes an alert. */
export function CreateAlert({ onClose, onDone }: Omit<AlertDialogProps, "alert">): JSX.Element {
  const api = useApi();
  const channels = useChannelNames();
  return (
    <FormDialog
      title="New alert"
      draft="new alert"
      fields={({ rule = "" }) => newAlertFields(rule, channels)}
      object={null}
      onClose={onClose}
      onSave={async (values) => {
        // The form does not save without the two.
        const body = values as { name: string; rule: Rule };
        await answerOf(api.POST("/alerts", { body }));
        toast(`The alert ${body.name} is made`);
        onDone();
      }}
    >
      <p class="muted">An empty threshold, window or cooldown is the rule's default.</p>
    </FormDialog>
  );
}

/** Changes the settings of an alert. */
export function EditAlert({ alert, onClose, onDone }: AlertDialogProps): JSX.Element {
  const api = useApi();
  const channels = useChannelNames();
  const { name, rule, channel } = alert;
  const known = channel === null || channels.includes(channel) ? channels : [...channels, channel];
  return (
    <FormDialog
      title={`Settings of ${name}`}
      draft={`alert ${name}`}
      fields={() => alertFields(rule, known)}
      object={alert}
      onClose={onClose}
      onSave={async (body) => {
        await answerOf(api.PATCH("/alerts/{name}", { params: { path: { name } }, body }));
        toast(`${name} is changed`);
        onDone();
      }}
    />
  );
}

/** Deletes an alert. */
export function DeleteAlert({ alert: { name }, onClose, onDone }: AlertDialogProps): JSX.Element {
  const api = useApi();
  return (
    <Confirm
      title={`Delete ${name}`}
      verb="Delete"
      isDangerous
      onClose={onClose}
      onConfirm={async () => {
        await answerOf(api.DELETE("/alerts/{name}", { params: { path: { name } } }));
        toast(`The alert ${name} is deleted`);
        onDone();
      }}
    >
      It is checked no more. A later setup does not make it again.
    </Confirm>
  );
}

/** The names of the channels; none while they are not known. */
function useChannelNames(): readonly string[] {
  const api = useApi();
  const { data } = useResource(
    "names of channels",
    (signal) => answerOf(api.GET("/alert-channels", { signal })),
    { everyMs: null },
  );
  return data?.channels.map(({ name }) => name) ?? [];
}
