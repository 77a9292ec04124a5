/**
 * Places in the hash of the address, `#/messages?type=EmailMessage`: any static host serves the page, and a link holds
 * the filter.
 */

import type { ComponentChildren, JSX } from "preact";
import { useSyncExternalValue } from "../api/external-value.ts";

/** Where the operator is. */
export interface Place {
  /** Begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Values of a query; null, undefined and an empty text leave a name out. */
export type QueryValues = Readonly<Record<string, string | null | undefined>>;

/** Takes the place out of an address's hash. */
export function parseHash(hash: string): Place {
  const [path = "", ...query] = hash.replace(/^#/, "").split("?");
  return {
    path: path.startsWith("/") ? path.replace(/(?<=.)\/+$/, "") : "/",
    query: new URLSearchParams(query.join("?")),
  };
}

/** The text of a link to a place, `#/messages?type=EmailMessage`. */
export function hrefTo(path: string, query: QueryValues | URLSearchParams = {}): string {
  const given = query instanceof URLSearchParams
    ? [...query]
    : Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const text = new URLSearchParams(given).toString();
  return `#${path}${text && `?${text}`}`;
}

/** A path with a value in it, such as a queue's name: `pathOf("queues", name)`. */
export function pathOf(...parts: readonly string[]): string {
  return parts.map((part) => `/${encodeURIComponent(part)}`).join("");
}

/**
 * Compares a path with a pattern such as `/queues/:name`.
 * @returns the values of its names, or null
 */
export function matchPath(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) {
      const decoded = decode(value);
      if (!decoded) return null;
      values[part.slice(1)] = decoded;
    } else if (part !== value) return null;
  }
  return values;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

let read = { hash: "", place: parseHash("") };
/** The same object as long as the address is the same. */
const readPlace = (): Place => {
  if (read.hash !== location.hash) read = { hash: location.hash, place: parseHash(location.hash) };
  return read.place;
};

function subscribePlace(listener: () => void): () => void {
  addEventListener("hashchange", listener);
  return () => removeEventListener("hashchange", listener);
}

/** The place, in a component. */
export const usePlace = (): Place => useSyncExternalValue(subscribePlace, readPlace);

/** Goes to a link's place. `replace` leaves no entry in the browser's history, as while the operator types. */
export function goTo(href: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = href;
    return;
  }
  history.replaceState(null, "", href);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/**
 * Goes to a place after a change, unless the operator has left the page meanwhile.
 * @returns goes to a link's place if the path is still that of this call
 * @example
 * const goOn = fromHere();
 * await change();
 * goOn(hrefTo("/queues"));
 */
export function fromHere(): (href: string) => void {
  const { path } = readPlace();
  return (href) => {
    if (readPlace().path === path) goTo(href);
  };
}

/**
 * The query of the place and what changes it: filters live there.
 * @example
 * const [query, setQuery] = useQuery();
 * setQuery({ type: "EmailMessage" });
 */
export function useQuery(): [
  URLSearchParams,
  (changes: QueryValues, options?: { replace?: boolean }) => void,
] {
  const { query } = usePlace();
  return [query, (changes, options) => {
    const { path, query } = readPlace();
    const changed = { ...Object.fromEntries(query), ...changes };
    goTo(hrefTo(path, changed), options);
  }];
}

/** Properties of a link. */
export interface LinkProps {
  /** Text of `hrefTo`. */
  readonly href: string;
  readonly class?: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

/** A link within the console. */
export function Link({ href, children, ...rest }: LinkProps): JSX.Element {
  return <a href={href} {...rest}>{children}</a>;
}
