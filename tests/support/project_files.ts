/** Supabase projects in memory, for the plans of the commands that write into one. */

import type { Plan } from "../../cli/project/plan.ts";
import { type Release, sha256Of } from "../../cli/releases.ts";

/** A config file as short as the CLI takes it. */
export const CONFIG_TOML = 'project_id = "p"\n';

/** A project: the given files beside a config.toml; undefined takes one away. */
export function project(files: Record<string, string | undefined> = {}): Map<string, string> {
  const all = { "supabase/config.toml": CONFIG_TOML, ...files };
  return new Map(
    Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** A release whose SQL is as short as the plans take it. */
export function release(version: string, sql = ""): Release {
  const text = `create or replace function public.messenger_version() returns text
language sql immutable
as $$ select '${version}'::text $$;
${sql}`;
  return { version, sql: text, sha256: sha256Of(text) };
}

/** The first release, with a name of each kind. */
export const FIRST: Release = release(
  "0.1.0",
  `create schema messenger;
create table public.messenger_messages (id bigint);
create function public.messenger_now() returns timestamptz language sql as $$ select now() $$;
select cron.schedule('symphony-tick', '* * * * *', 'select 1');
`,
);

/** The files after a plan, as if it were carried out. */
export function carriedOut(files: ReadonlyMap<string, string>, plan: Plan): Map<string, string> {
  const after = new Map(files);
  for (const { path, text } of plan.changes) {
    if (text === null) after.delete(path);
    else after.set(path, text);
  }
  return after;
}

/** The refusals of a plan, each as `path:line`. */
export function refusals({ notes }: Plan): string[] {
  return notes.filter(({ level }) => level === "refusal")
    .map(({ path, line }) => line === undefined ? path : `${path}:${line}`);
}

/** The warnings of a plan, each as `path`. */
export function warnings({ notes }: Plan): string[] {
  return notes.filter(({ level }) => level === "warning").map(({ path }) => path);
}
