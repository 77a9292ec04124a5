/** A list of the API, a page at a time: the cursors of the pages before are kept for the way back. */

import { useEffect, useState } from "preact/hooks";
import { type Resource, type ResourceOptions, useResource } from "./use-resource.ts";

/** The largest number of rows that the page ever asks for at once. */
const PAGE_SIZE = 50;

/** The part of a request's query that names a page. */
export interface PageQuery {
  readonly limit: number;
  /** Where the page begins; left out for the first one. */
  readonly cursor?: string;
}

/** One page of a list, and the way to its neighbours. */
export interface Pages<Data> {
  readonly resource: Resource<Data>;
  /** From 1. */
  readonly number: number;
  /** Goes to the next page; undefined: this is the last one. */
  readonly onNext: (() => void) | undefined;
  /** Goes to the page before; undefined: this is the first one. */
  readonly onPrevious: (() => void) | undefined;
}

/**
 * Reads a list page by page. A new key begins with the first page.
 * @param fetchPage asks for a page, by the query that names it
 */
export function usePages<Data extends { readonly next: string | null }>(
  key: string,
  fetchPage: (page: PageQuery, signal: AbortSignal) => Promise<Data>,
  options: ResourceOptions = {},
): Pages<Data> {
  const [visited, setVisited] = useState<{ key: string; cursors: readonly string[] }>({
    key,
    cursors: [],
  });
  const cursors = visited.key === key ? visited.cursors : [];
  useEffect(() => {
    if (visited.key !== key) setVisited({ key, cursors: [] });
  }, [key]);
  const cursor = cursors.at(-1);
  const resource = useResource<Data>(
    `${key}#${cursor ?? ""}`,
    (signal) => fetchPage({ limit: PAGE_SIZE, ...(cursor && { cursor }) }, signal),
    { keepsData: true, ...options },
  );
  const next = resource.data?.next;
  return {
    resource,
    number: cursors.length + 1,
    onNext: next && !resource.isLoading
      ? () => setVisited({ key, cursors: [...cursors, next] })
      : undefined,
    onPrevious: cursors.length > 0
      ? () => setVisited({ key, cursors: cursors.slice(0, -1) })
      : undefined,
  };
}
