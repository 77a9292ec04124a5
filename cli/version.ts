/** The version of the command, which is that of the library. */
export { VERSION } from "../supabase/functions/_shared/symphony/runtime/version.ts";
