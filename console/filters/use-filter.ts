/** The filter of a page, in its address. */

import { useMemo } from "preact/hooks";
import { answerOf } from "../api/api-client.ts";
import { useResource } from "../api/use-resource.ts";
import { useApi } from "../shell/session.tsx";
import { useQuery } from "../shell/router.tsx";
import { type Filter, type FilterField, problemsOfQuery, readFilter } from "./filter-fields.ts";
import type { KnownValue, KnownValues } from "./filter-suggestions.ts";

/** Reads and writes the filter of the address; other names of its query stay as they are. */
export function useFilter(fields: readonly FilterField[]): [Filter, (filter: Filter) => void] {
  const [query, setQuery] = useQuery();
  const text = query.toString();
  const filter = useMemo(() => readFilter(fields, text), [fields, text]);
  return [
    filter,
    (changed) =>
      setQuery(Object.fromEntries(fields.map(({ name }) => [name, changed[name] ?? null]))),
  ];
}

/** Why fields of the address's filter cannot be read. As long as there is one, nothing may act on "all that match". */
export function useFilterProblems(fields: readonly FilterField[]): readonly string[] {
  const [query] = useQuery();
  const text = query.toString();
  return useMemo(() => problemsOfQuery(fields, text), [fields, text]);
}

/** Values that rows of a list have, for suggestions. */
export interface SeenRow {
  readonly type?: string;
  readonly queue?: string;
  readonly groupKey?: string | null;
  readonly user?: string | null;
  readonly error?: string | null;
}

/** Longest error that is suggested: a longer one is no text to choose from a list. */
const LONGEST_ERROR = 200;

const ONCE = { everyMs: null };

/** Known values: the types of the project, the first page of queues, and those of the rows that are shown. */
export function useKnownValues(rows: readonly SeenRow[]): KnownValues {
  const api = useApi();
  const types = useResource(
    "types",
    (signal) => answerOf(api.GET("/types", { signal })),
    ONCE,
  );
  const queues = useResource(
    "queues of filters",
    (signal) => answerOf(api.GET("/queues", { params: { query: { limit: 50 } }, signal })),
    ONCE,
  );
  return useMemo(() => ({
    type: distinct([...(types.data?.types ?? []).map(({ type }) => type), ...seen(rows, "type")]),
    queue: distinct([
      ...(queues.data?.queues ?? []).map(({ name }) => name),
      ...seen(rows, "queue"),
    ]),
    groupKey: distinct(seen(rows, "groupKey")),
    user: distinct(seen(rows, "user")),
    error: distinct(
      seen(rows, "error").filter((error) => error.trim() !== "" && error.length <= LONGEST_ERROR),
    ),
  }), [types.data, queues.data, rows]);
}

function seen(rows: readonly SeenRow[], name: keyof SeenRow): string[] {
  return rows.flatMap((row) => row[name] ?? []);
}

function distinct(values: readonly string[]): KnownValue[] {
  return [...new Set(values)].map((value) => ({ value }));
}
