/** The dialogs that make, set and delete a channel of alerts. */

import type { JSX } from "preact";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { ApiProblem } from "../../api/api-problem.ts";
import { Confirm } from "../../components/dialog.tsx";
import { toast } from "../../components/toast.tsx";
import { FormDialog } from "../../forms/form-dialog.tsx";
import { type FormField, NAME_FIELD } from "../../forms/form-fields.ts";
import { useApi } from "../../shell/session.tsx";

/** A channel of the API. */
export type Channel = Schemas["AlertChannel"];
type Kind = Channel["kind"];

/** Properties of each dialog. */
export interface ChannelDialogProps {
  readonly channel: Channel;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

const KINDS: readonly (readonly [Kind, string])[] = [
  ["slack", "Slack, or a service that takes its format"],
  ["discord", "Discord"],
  ["webhook", "Webhook: JSON, signed if it has a secret"],
  ["message", "A message of a type of yours"],
];
const DEFAULT: FormField = {
  name: "isDefault",
  label: "Default",
  hint: "Alerts without a channel are told on the default one",
  kind: "choice",
  choices: [["", "as it is"], ["true", "becomes the default channel"]],
};

/** The fields that a kind has. Neither the URL nor the secret is ever told again. */
function fieldsOf(kind: string, isNew: boolean, isSigned: boolean): readonly FormField[] {
  const stays = isNew ? "" : "; empty: it stays";
  const url: FormField = {
    name: "url",
    label: "URL",
    hint: `https; kept in Vault${stays}`,
    kind: "secret",
    ...(isNew && { presence: "required" }),
  };
  const secret: FormField = {
    name: "secret",
    label: "Signing secret",
    hint: isNew ? "whsec_...; empty: unsigned" : "whsec_...; empty: it stays",
    kind: "secret",
  };
  const signing: FormField = {
    name: "signing",
    label: "Signature",
    kind: "choice",
    choices: [["", "as it is"], ["none", "removes the secret"]],
  };
  const type: FormField = {
    name: "messageType",
    label: "Message type",
    kind: "text",
    presence: "required",
  };
  if (kind === "message") return [type, DEFAULT];
  if (kind === "webhook") return [url, secret, ...(isSigned ? [signing] : []), DEFAULT];
  return kind === "" ? [] : [url, DEFAULT];
}

/** The request of the values that a form has. */
function bodyOf(kind: Kind, values: Readonly<Record<string, unknown>>) {
  const { name: _, isDefault, signing, ...rest } = values;
  return {
    ...rest,
    kind,
    ...(isDefault === "true" && { isDefault: true }),
    ...(signing === "none" && { secret: null }),
  };
}

/** Makes a channel. */
export function CreateChannel(
  { onClose, onDone }: Omit<ChannelDialogProps, "channel">,
): JSX.Element {
  const api = useApi();
  const kind: FormField = {
    name: "kind",
    label: "Kind",
    kind: "choice",
    presence: "required",
    choices: [["", "Choose …"], ...KINDS],
  };
  return (
    <FormDialog
      title="New channel"
      draft="new channel"
      fields={(texts) => [NAME_FIELD, kind, ...fieldsOf(texts["kind"] ?? "", true, false)]}
      object={null}
      onClose={onClose}
      onSave={async (values) => {
        const name = String(values["name"]);
        const body = bodyOf(values["kind"] as Kind, values);
        // The request would set a channel of that name.
        const { channels } = await answerOf(api.GET("/alert-channels"));
        if (channels.some((one) => one.name === name)) {
          throw new ApiProblem(0, "exists", `name: there is a channel ${name} already`);
        }
        await answerOf(api.PUT("/alert-channels/{name}", { params: { path: { name } }, body }));
        toast(`The channel ${name} is made`);
        onDone();
      }}
    />
  );
}

/** Sets a channel; its kind stays. */
export function EditChannel({ channel, onClose, onDone }: ChannelDialogProps): JSX.Element {
  const api = useApi();
  const { name, kind, signed, messageType } = channel;
  return (
    <FormDialog
      title={`Settings of ${name}`}
      draft={`channel ${name}`}
      fields={() => fieldsOf(kind, false, signed)}
      object={{ messageType }}
      onClose={onClose}
      onSave={async (values) => {
        const body = bodyOf(kind, values);
        await answerOf(api.PUT("/alert-channels/{name}", { params: { path: { name } }, body }));
        toast(`${name} is changed`);
        onDone();
      }}
    />
  );
}

/** Deletes a channel with its secrets. */
export function DeleteChannel({ channel, onClose, onDone }: ChannelDialogProps): JSX.Element {
  const api = useApi();
  const { name } = channel;
  return (
    <Confirm
      title={`Delete ${name}`}
      verb="Delete"
      isDangerous
      typed={name}
      onClose={onClose}
      onConfirm={async () => {
        await answerOf(api.DELETE("/alert-channels/{name}", { params: { path: { name } } }));
        toast(`The channel ${name} is deleted`);
        onDone();
      }}
    >
      Its secrets go with it. A channel on which alerts are told is not deleted.
    </Confirm>
  );
}
