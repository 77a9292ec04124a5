/** A value that others watch: frameworks, hooks, and the parts of the client itself. */

/** Holds a value and tells its listeners of each change. */
export interface Store<Value> {
  get(): Value;
  put(value: Value): void;
  /**
   * Calls the listener after each change. Returns the function that ends it.
   * @param isSoon whether to call it once in a microtask after this call, too
   */
  subscribe(listener: () => void, isSoon?: boolean): () => void;
}

/**
 * Makes a store.
 * @param onUse is called when the first listener comes; the function that it returns, when the last has left
 */
export function createStore<Value>(value: Value, onUse?: () => () => void): Store<Value> {
  const listeners = new Set<() => void>();
  const tell = (listener: () => void) => listeners.has(listener) && listener();
  let stop: (() => void) | undefined;
  return {
    get: () => value,
    put(next) {
      value = next;
      // One may end another, and begin a new one.
      [...listeners].forEach(tell);
    },
    subscribe(listener, isSoon) {
      // The same function may be given twice.
      const own = () => listener();
      if (!listeners.size) stop = onUse?.();
      listeners.add(own);
      if (isSoon) Promise.resolve().then(() => tell(own));
      return () => {
        if (listeners.delete(own) && !listeners.size) stop?.();
      };
    },
  };
}
