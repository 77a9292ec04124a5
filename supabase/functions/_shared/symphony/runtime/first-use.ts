/**
 * Values that are made by their first use. A cold start waits for all that modules make as they are loaded, and a
 * schema of ten fields takes about half a millisecond then.
 */

/** Returns a function that calls `make` once, by its first call, and always returns that value. */
export function onFirstUse<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
