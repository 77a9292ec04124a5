/** Events of the page after which a state may be old: the connection came or went, the page is looked at again. */

/**
 * Calls the listener after each of them, unless the page is hidden. Node and Deno have none of these events.
 * @returns the function that ends it
 */
export function onPageEvent(listener: (type: string) => void): () => void {
  const page = globalThis as Partial<EventTarget> & { readonly document?: { hidden?: boolean } };
  const own = ({ type }: { readonly type: string }) => page.document?.hidden || listener(type);
  const over = new AbortController();
  // The controller has the option `signal`, which ends the listening.
  for (const type of ["online", "offline", "focus", "pageshow", "visibilitychange"]) {
    page.addEventListener?.(type, own, over);
  }
  return () => over.abort();
}
