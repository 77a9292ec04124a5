/** The typed content of the payload's editor. */

import type { RedriveOptions } from "../../bulk/redrive-options.ts";

/** The payload's text, texts of fields that are no JSON yet, and the options of the redrive. */
export interface EditorDraft {
  readonly text: string;
  readonly unread: Readonly<Record<string, string>>;
  readonly options: RedriveOptions;
}
