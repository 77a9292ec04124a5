/** The project's secret keys, as the functions and resident workers have them in their environment. */

import { variable } from "./environment.ts";

/**
 * Reads the secret keys: `default` first, then the others by name. A key that was made in the dashboard and is not
 * deleted is among them.
 */
export function secretKeys(get: (name: string) => string | undefined = variable): string[] {
  const single = get("SUPABASE_SECRET_KEY");
  return [...named(get("SUPABASE_SECRET_KEYS")), ...(single ? [single] : [])];
}

function named(json: string | undefined): string[] {
  try {
    const keys: unknown = JSON.parse(json || "{}");
    if (typeof keys !== "object" || keys === null) return [];
    const isDefault = (name: string) => Number(name !== "default");
    return Object.entries(keys)
      .filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "")
      .sort(([a], [b]) => isDefault(a) - isDefault(b) || (a < b ? -1 : 1))
      .map(([, key]) => key);
  } catch {
    return [];
  }
}
