/** Options of the commands that write into a project. */

import { Option } from "commander";

/** The option that names the project's folder. */
export function workdirOption(): Option {
  return new Option(
    "--workdir <folder>",
    "the folder that holds supabase/; by default SUPABASE_WORKDIR, this one, or the nearest above it",
  );
}

/** The option that only tells. */
export function dryRunOption(): Option {
  return new Option("--dry-run", "shows what would be written, and writes nothing");
}
