/** The one change of many messages of this tab, in components. */

import { useSyncExternalValue } from "../api/external-value.ts";
import { useApi } from "../shell/session.tsx";
import type { BulkProgress } from "./bulk-action.ts";
import type { BulkParts, BulkRunner } from "./bulk-runner.ts";
import { setBulkApi, tabParts, tabRunner } from "./tab-runner.ts";

const subscribe = (listener: () => void) => tabRunner().subscribe(listener);
const readProgress = () => tabRunner().progress;

/** The runner, the parts of a count, and the progress of the present change. */
export function useBulk(): {
  readonly runner: BulkRunner;
  readonly parts: BulkParts;
  readonly progress: BulkProgress | null;
} {
  setBulkApi(useApi());
  return {
    runner: tabRunner(),
    parts: tabParts,
    progress: useSyncExternalValue(subscribe, readProgress),
  };
}
