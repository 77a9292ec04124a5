/** The selected rows of a list. */

import { useState } from "preact/hooks";

const NONE: ReadonlySet<string> = new Set();

/**
 * Keeps the selection as long as the list is the same: rows that a filter hides are never changed by accident.
 * @param list tells the list, such as its filter as text
 */
export function useSelection(
  list: string,
): [ReadonlySet<string>, (selected: ReadonlySet<string>) => void] {
  const [state, setState] = useState({ list, selected: NONE });
  const selected = state.list === list ? state.selected : NONE;
  return [selected, (changed) => setState({ list, selected: changed })];
}
