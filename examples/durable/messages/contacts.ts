/** The table that is imported into. A test puts another `upsert` in its place. */

import { HttpError } from "../../../supabase/functions/_shared/symphony/index.ts";

/** One contact. */
export interface Contact {
  readonly mail: string;
  readonly name: string;
}

/** The contacts of a CRM. */
export const contacts = {
  /** Writes contacts; one of a known address replaces it. @throws HttpError if the CRM refuses them */
  async upsert(rows: readonly Contact[], signal: AbortSignal): Promise<void> {
    const response = await fetch("https://crm.example/contacts", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(rows),
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw HttpError.fromResponse(response);
  },
};
