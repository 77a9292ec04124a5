/** The state of the payload's editor: its draft, its check, and its redrive. */

import { useMemo } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import { useDraft } from "../../api/draft.ts";
import { type Action, useAction } from "../../api/use-action.ts";
import { useResource } from "../../api/use-resource.ts";
import { NO_OPTIONS, problemsOf, toBody } from "../../bulk/redrive-options.ts";
import { toast } from "../../components/toast.tsx";
import {
  type DraftField,
  draftOf,
  fieldsOf,
  type ReadDraft,
  readDraft,
} from "../../payload/payload-draft.ts";
import { fromHere, hrefTo, pathOf } from "../../shell/router.tsx";
import { useApi } from "../../shell/session.tsx";
import type { EditorDraft } from "./editor-draft.ts";
import { type PayloadCheck, usePayloadCheck } from "./use-payload-check.ts";

/** The editor's state. */
export interface Editor {
  readonly draft: EditorDraft;
  readonly setDraft: (draft: EditorDraft) => void;
  readonly clearDraft: () => void;
  readonly hasChanged: boolean;
  /** The value of the text, or why it is no JSON. */
  readonly read: ReadDraft;
  /** Fields of a form; null if there can be none. */
  readonly fields: readonly DraftField[] | null;
  /** Problems of the options. */
  readonly problems: ReturnType<typeof problemsOf>;
  /** Whether everything that is typed can be sent. */
  readonly isReadable: boolean;
  readonly check: PayloadCheck;
  readonly redrive: Action<[]>;
}

/**
 * Edits the payload of a dead letter.
 * @param onDone called after the redrive
 */
export function useEditor(
  { id, type, payload }: Schemas["FailedMessage"],
  onDone: () => void,
): Editor {
  const api = useApi();
  const [draft, setDraft, clearDraft] = useDraft<EditorDraft>(`payload ${id}`, () => ({
    ...{ text: draftOf(payload), unread: {}, options: NO_OPTIONS },
  }));
  const schema = useSchema(type);
  const read = useMemo(() => readDraft(draft.text), [draft.text]);
  const fields = useMemo(
    () => "value" in read ? fieldsOf(read.value, schema) : null,
    [read, schema],
  );
  const problems = problemsOf(draft.options);
  const isReadable = "value" in read && Object.keys(draft.unread).length === 0 &&
    Object.keys(problems).length === 0;
  const body = isReadable ? { payload: read.value, ...toBody(draft.options) } : null;
  const check = usePayloadCheck(id, body);
  const redrive = useAction(async () => {
    if (body === null) throw new Error("payload: mend the fields that are marked");
    const goOn = fromHere();
    await answerOf(api.POST("/failed-messages/{id}/redrive", { params: { path: { id } }, body }));
    clearDraft();
    toast(`${id} is back in its queue, with the changed payload`);
    onDone();
    goOn(hrefTo(pathOf("messages", id)));
  });
  const hasChanged = draft.text !== draftOf(payload) || Object.keys(draft.unread).length > 0;
  return {
    ...{ draft, setDraft, clearDraft, hasChanged, read, fields },
    ...{ problems, isReadable, check, redrive },
  };
}

/** The JSON schema of a type's payload; null if the project does not know the type. */
function useSchema(type: string): unknown {
  const api = useApi();
  const { data } = useResource("types", (signal) => answerOf(api.GET("/types", { signal })), {
    everyMs: null,
  });
  return data?.types.find((one) => one.type === type)?.schema ?? null;
}
