/** A value that components read by `useSyncExternalStore`. */

/** Holds a value and tells its listeners of each change. Each listener is another function. */
export interface Store<Value> {
  get(): Value;
  set(value: Value): void;
  subscribe(listener: () => void): () => void;
}

/**
 * Makes a store.
 * @param onUse is called when the first listener comes; the function that it returns, when the last has left
 */
export function createStore<Value>(value: Value, onUse?: () => () => void): Store<Value> {
  const listeners = new Set<() => void>();
  let stop: (() => void) | undefined;
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      if (listeners.add(listener).size === 1) stop = onUse?.();
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop?.();
      };
    },
  };
}
