/** Which project the doctor looks at, and whether its key is one that the functions accept. */

import { type Check, failed, passed } from "./check.ts";

/** The project as the command line and the environment name it. */
export interface Target {
  readonly url: string;
  readonly key: string;
  /** The beginning of the names of the functions, with its hyphen; empty by default. */
  readonly prefix: string;
}

/** Whether there is enough of it to make requests. */
export function isUsable({ url, key }: Target): boolean {
  return URL.canParse(url) && /^https?:/.test(url) && key !== "";
}

/** Judges the URL and the key without any request. */
export function checkTarget({ url, key }: Target): Check[] {
  const isUrl = URL.canParse(url) && /^https?:/.test(url);
  return [
    isUrl ? passed("SUPABASE_URL", url) : failed(
      "SUPABASE_URL",
      url || null,
      "Set it to the project's URL, or give --url.",
      "export SUPABASE_URL=https://<ref>.supabase.co",
    ),
    checkKey(key),
  ];
}

function checkKey(key: string): Check {
  const name = "SUPABASE_SECRET_KEY";
  if (key.startsWith("sb_secret_")) return passed(name, "a secret key");
  const command = "export SUPABASE_SECRET_KEY=sb_secret_...";
  if (key === "") {
    return failed(name, null, "Set it to a secret key: dashboard, Settings, API keys.", command);
  }
  return key.startsWith("eyJ")
    ? failed(
      name,
      "a legacy key",
      "The functions refuse legacy service_role keys. Make a secret key: dashboard, Settings, API keys.",
      command,
    )
    : failed(name, "no secret key", "Give a secret key (sb_secret_...).", command);
}
