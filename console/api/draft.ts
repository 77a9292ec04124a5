/** Texts that the operator has typed: they outlive errors, an expired session and a walk to another page. */

import { useCallback, useState } from "preact/hooks";

const drafts = new Map<string, unknown>();

/** Drafts that are kept at most; the oldest goes first. */
const MAX_DRAFTS = 100;

/** Whether anything was typed that is not saved. */
export const hasDrafts = (): boolean => drafts.size > 0;

/** Drops all drafts, as when another operator signs in. */
export function clearDrafts(): void {
  drafts.clear();
}

/**
 * State of a form that is kept in memory until it is cleared.
 * @param key names the form and its object, such as `queue mail`
 * @returns the value, its setter, and what clears the draft, as after it was saved
 */
export function useDraft<Value>(
  key: string,
  initial: () => Value,
): [Value, (value: Value) => void, () => void] {
  const [, render] = useState(0);
  const value = drafts.has(key) ? drafts.get(key) as Value : initial();
  const set = useCallback((changed: Value) => {
    drafts.delete(key);
    drafts.set(key, changed);
    for (const oldest of drafts.keys()) {
      if (drafts.size <= MAX_DRAFTS) break;
      drafts.delete(oldest);
    }
    render((count) => count + 1);
  }, [key]);
  const clear = useCallback(() => {
    drafts.delete(key);
    render((count) => count + 1);
  }, [key]);
  return [value, set, clear];
}
