/** The next steps after files were written: the commands, for each kind of project. */

import { DOOR_NAMES } from "./functions.ts";

/** The order that never breaks: the database takes functions of the version before, not those of the next. */
export function deploySteps(prefix: string): string {
  const option = prefix && ` --prefix ${prefix}`;
  const doctor = `npx symphony-messenger doctor --fix${option}`;
  const names = DOOR_NAMES.map((door) => prefix + door).join(" ");
  return `Next, push the migrations, then deploy the functions:

  export SYMPHONY_URL=https://<ref>.supabase.co SYMPHONY_SECRET_KEY=sb_secret_...

  Supabase CLI 3:  npx supabase@3 db push --remote --yes
                   npx supabase@3 functions deploy ${names} --use-api
  Supabase CLI 2:  npx supabase@2 db push --linked --yes
                   npx supabase@2 functions deploy ${names} --use-api

See that all is well; it says what to do where it is not:

  SUPABASE_URL=$SYMPHONY_URL SUPABASE_SECRET_KEY=$SYMPHONY_SECRET_KEY npx symphony-messenger doctor${option}

A preview branch has the schema and the functions, but no jobs and no secrets. Once, with its URL and secret key:

  SUPABASE_URL=https://<branch ref>.supabase.co SUPABASE_SECRET_KEY=sb_secret_... ${doctor}

A self-hosted project:

  npx supabase@3 db push --remote=postgresql://postgres:...@host:5432/postgres --yes
  copy ${
    ["_messages", ...DOOR_NAMES.map((door) => prefix + door)].join(", ")
  } of supabase/functions into its volumes/functions, and restart the functions
  SUPABASE_URL=... SUPABASE_SECRET_KEY=... ${doctor}`;
}
