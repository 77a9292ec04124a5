// A cache of computed values with a bound on its size.

/**
 * Remembers the result of `create` for each key, for at most `limit` keys. A further key replaces the
 * oldest one. Errors of `create` are passed on and not remembered.
 */
export function boundedCache<K, V>(limit: number, create: (key: K) => V): (key: K) => V {
  const values = new Map<K, V>();
  return (key) => {
    const known = values.get(key);
    if (known !== undefined) return known;
    const value = create(key);
    if (values.size >= limit) {
      for (const oldest of values.keys()) {
        values.delete(oldest);
        break;
      }
    }
    values.set(key, value);
    return value;
  };
}
