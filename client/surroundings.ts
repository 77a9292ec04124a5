/** Events of the page after which a state may be old: the connection came or went, the page is looked at again. */

const EVENTS = ["online", "offline", "focus", "pageshow", "visibilitychange"];

/**
 * Calls the listener after each of them. Node and Deno have none of these events.
 * @returns the function that ends it
 */
export function onPageEvent(listener: (event: { readonly type: string }) => void): () => void {
  const target = globalThis as Partial<EventTarget>;
  for (const type of EVENTS) target.addEventListener?.(type, listener);
  return () => {
    for (const type of EVENTS) target.removeEventListener?.(type, listener);
  };
}
