/** A check of the doctor: what it found, and the command that mends it. */

/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly found: unknown;
  /** The healthy value; null where there is none to name. */
  readonly limit: unknown;
  /** The problem and its remedy; null if it is ok. */
  readonly advice: string | null;
  /** The command that mends it; null if it is ok, or if no command does. */
  readonly command: string | null;
}

/** The command that makes what a schema alone does not bring. */
export const FIX = "npx symphony-messenger doctor --fix";
/** The command that brings the schema up to date. */
export const PUSH = "npx supabase db push --remote --yes";

/** A check that passes. */
export function passed(name: string, found: unknown): Check {
  return { name, ok: true, found, limit: null, advice: null, command: null };
}

/** A check that fails. */
export function failed(
  name: string,
  found: unknown,
  advice: string,
  command: string | null = null,
): Check {
  return { name, ok: false, found, limit: null, advice, command };
}

/** The command that deploys a function. */
export function deploying(name: string): string {
  return `npx supabase functions deploy ${name} --use-api`;
}
