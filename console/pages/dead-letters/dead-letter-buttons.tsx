/** Redrive, edit and remove, of one dead letter. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { OptionFields } from "../../bulk/option-fields.tsx";
import { NO_OPTIONS, problemsOf, type RedriveOptions, toBody } from "../../bulk/redrive-options.ts";
import { Button } from "../../components/controls.tsx";
import { Confirm } from "../../components/dialog.tsx";
import { toast } from "../../components/toast.tsx";
import { fromHere, hrefTo, pathOf } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";

/** Properties of the buttons. */
export interface DeadLetterButtonsProps {
  readonly letter: Schemas["FailedMessage"];
  readonly isEditing: boolean;
  readonly onEdit: () => void;
  /** Called after a change. */
  readonly onDone: () => void;
}

/** Shows the buttons. */
export function DeadLetterButtons(props: DeadLetterButtonsProps): JSX.Element {
  const { letter, isEditing, onEdit } = props;
  const [asks, setAsks] = useState<"redrive" | "remove" | null>(null);
  return (
    <>
      <Button icon="trash" onClick={() => setAsks("remove")}>Remove…</Button>
      <Button icon="edit" isPressed={isEditing} onClick={onEdit}>Edit and redrive</Button>
      <Button tone="primary" icon="reload" onClick={() => setAsks("redrive")}>Redrive…</Button>
      {asks === "redrive" && <AskRedrive letter={letter} onClose={() => setAsks(null)} />}
      {asks === "remove" && <AskRemove letter={letter} onClose={() => setAsks(null)} />}
    </>
  );
}

/** Names of the steps of a message. */
export function namesOf(steps: Schemas["FailedMessage"]["steps"]): string[] {
  return steps.map(({ name }) => name);
}

interface AskProps {
  readonly letter: Schemas["FailedMessage"];
  readonly onClose: () => void;
}

function AskRedrive({ letter: { id, queue, steps }, onClose }: AskProps): JSX.Element {
  const api = useApi();
  const [options, setOptions] = useState<RedriveOptions>(NO_OPTIONS);
  const problems = problemsOf(options);
  const redrive = async () => {
    const [problem] = Object.entries(problems);
    if (problem) throw new Error(problem.join(": "));
    const body = toBody(options);
    const goOn = fromHere();
    await answerOf(api.POST("/failed-messages/{id}/redrive", { params: { path: { id } }, body }));
    toast(`${id} is back in its queue`);
    goOn(hrefTo(pathOf("messages", id)));
  };
  return (
    <Confirm title={`Redrive ${id}`} verb="Redrive" onConfirm={redrive} onClose={onClose}>
      <p>
        It goes back into the queue <span class="mono">{queue}</span>{" "}
        with fresh retries and its history.
      </p>
      <OptionFields
        options={options}
        problems={problems}
        onChange={setOptions}
        isOfOne
        steps={namesOf(steps)}
      />
    </Confirm>
  );
}

function AskRemove({ letter: { id }, onClose }: AskProps): JSX.Element {
  const api = useApi();
  const remove = async () => {
    const goOn = fromHere();
    await answerOf(api.DELETE("/failed-messages/{id}", { params: { path: { id } } }));
    toast(`${id} is removed`);
    goOn(hrefTo("/dead-letters"));
  };
  return (
    <Confirm
      title={`Remove ${id}`}
      verb="Remove for good"
      isDangerous
      onConfirm={remove}
      onClose={onClose}
    >
      <p>Its payload and its errors are deleted for good.</p>
    </Confirm>
  );
}
