/** A value that others watch: frameworks, hooks, and the parts of the client itself. */

/** Holds a value and tells its listeners of each change. */
export interface Store<Value> {
  get(): Value;
  set(value: Value): void;
  /** Calls the listener after each change. Returns the function that ends it. */
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
      // One may end another, and begin a new one.
      for (const listener of [...listeners]) if (listeners.has(listener)) listener();
    },
    subscribe(listener) {
      // The same function may be given twice.
      const own = () => listener();
      if (listeners.add(own).size === 1) stop = onUse?.();
      return () => {
        if (listeners.delete(own) && listeners.size === 0) stop?.();
      };
    },
  };
}
