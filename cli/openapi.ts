/** Writes the management API's OpenAPI document to docs/openapi.json. */

import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "@supabase/supabase-js";
import { createMessenger } from "../supabase/functions/_shared/symphony/index.ts";
import {
  managementApps,
  openApiDocument,
} from "../supabase/functions/_shared/symphony/management/index.ts";
import { RESOURCES } from "../supabase/functions/_shared/symphony/management/resources.ts";

/** Where the document stands. */
export const OPENAPI_FILE = fileURLToPath(new URL("../docs/openapi.json", import.meta.url));

/** The document, as it is committed. Nothing is asked of a project. */
export async function openApiText(): Promise<string> {
  const supabase = createClient("http://127.0.0.1", "none");
  const { bus, log } = createMessenger({ supabase, messages: [] });
  const make = managementApps({ supabase, bus, log }, { adminRoles: [], readOnlyRoles: [] });
  const app = await make(RESOURCES);
  return `${JSON.stringify(openApiDocument(app), null, 2)}\n`;
}

if (import.meta.main) await writeFile(OPENAPI_FILE, await openApiText());
