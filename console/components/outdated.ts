/** Whether what a component shows belongs to the filter, page or range before. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";

/** Set by `ResourceView` until the data of the new key has come. */
export const Outdated = createContext(false);

/** Whether the data is still that of another key: it is dimmed, and nothing in it can be selected or changed. */
export const useOutdated = (): boolean => useContext(Outdated);
