/** The dialogs that make, change and delete a queue. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useDraft } from "../../api/draft.ts";
import { useAction } from "../../api/use-action.ts";
import { Button, Field } from "../../components/controls.tsx";
import { Confirm, Dialog } from "../../components/dialog.tsx";
import { ProblemNote } from "../../components/problem-note.tsx";
import { toast } from "../../components/toast.tsx";
import { useApi } from "../../shell/session.tsx";
import { QueueSettingsFields } from "./queue-settings-form.tsx";
import { NEW_SETTINGS, readSettings, type SettingTexts, toTexts } from "./queue-settings-model.ts";

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
  const [opened] = useState(() => toTexts(queue));
  // The draft may be older than the limits: only what the operator has changed since then is sent.
  const [{ before, texts }, setDraft, clear] = useDraft(`queue ${queue.name}`, () => ({
    before: opened,
    texts: opened,
  }));
  const setTexts = (texts: SettingTexts) => setDraft({ before, texts });
  const { settings, errors } = readSettings(texts, before);
  const action = useAction(async () => {
    await answerOf(api.PATCH("/queues/{name}", {
      params: { path: { name: queue.name } },
      body: settings,
    }));
    clear();
    toast(`The limits of ${queue.name} are changed`);
    onDone();
    onClose();
  });
  const isUnchanged = Object.keys(settings).length === 0;
  return (
    <Dialog
      title={`Limits of ${queue.name}`}
      onClose={action.isRunning ? null : onClose}
      isWide
    >
      <QueueForm
        verb="Save"
        isDisabled={isUnchanged || Object.keys(errors).length > 0}
        action={action}
        onClose={() => {
          clear();
          onClose();
        }}
      >
        <QueueSettingsFields
          texts={texts}
          onChange={setTexts}
          errors={errors}
          problem={action.error}
        />
      </QueueForm>
    </Dialog>
  );
}

/** Makes a queue before its first message. */
export function CreateQueue(
  { onClose, onDone }: Omit<QueueDialogProps, "queue">,
): JSX.Element {
  const api = useApi();
  const [{ name, texts }, setDraft, clear] = useDraft("new queue", () => ({
    name: "",
    texts: NEW_SETTINGS,
  }));
  const { settings, errors } = readSettings(texts, NEW_SETTINGS);
  const action = useAction(async () => {
    await answerOf(api.POST("/queues", { body: { ...settings, name } }));
    clear();
    toast(`The queue ${name} is made`);
    onDone();
    onClose();
  });
  return (
    <Dialog title="New queue" onClose={action.isRunning ? null : onClose} isWide>
      <QueueForm
        verb="Create"
        isDisabled={name === "" || Object.keys(errors).length > 0}
        action={action}
        onClose={() => {
          clear();
          onClose();
        }}
      >
        <NameField
          name={name}
          onChange={(name) => setDraft({ name, texts })}
          error={action.error?.issues.find(({ path }) => path[0] === "name")?.message}
        />
        <QueueSettingsFields
          texts={texts}
          onChange={(texts) => setDraft({ name, texts })}
          errors={errors}
          problem={action.error}
        />
      </QueueForm>
    </Dialog>
  );
}

function NameField({ name, onChange, error }: {
  readonly name: string;
  readonly onChange: (name: string) => void;
  readonly error: string | undefined;
}): JSX.Element {
  return (
    <Field label="Name" hint="Letters, digits and _ . : -" error={error}>
      {(id, describedBy) => (
        <input
          id={id}
          class="mono"
          aria-describedby={describedBy}
          autocomplete="off"
          spellcheck={false}
          maxLength={100}
          value={name}
          onInput={({ currentTarget: { value } }) => onChange(value)}
        />
      )}
    </Field>
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

/** The frame of both forms. */
function QueueForm(
  { verb, isDisabled, action, onClose, children }: {
    readonly verb: string;
    readonly isDisabled: boolean;
    readonly action: ReturnType<typeof useAction<[]>>;
    readonly onClose: () => void;
    readonly children: JSX.Element | JSX.Element[];
  },
): JSX.Element {
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isDisabled) void action.run();
      }}
    >
      {children}
      {action.error && <ProblemNote problem={action.error} />}
      <div class="dialog-actions">
        <Button isDisabled={action.isRunning} onClick={onClose}>Cancel</Button>
        <Button type="submit" tone="primary" isBusy={action.isRunning} isDisabled={isDisabled}>
          {verb}
        </Button>
      </div>
    </form>
  );
}
