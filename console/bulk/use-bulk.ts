/** The one change of many messages of this tab, in components. */

import { answerOf, type Api } from "../api/api-client.ts";
import { useSyncExternalValue } from "../api/external-value.ts";
import { ApiProblem } from "../api/api-problem.ts";
import { useApi } from "../shell/session.tsx";
import type { BulkAnswer, BulkProgress } from "./bulk-action.ts";
import { type BulkParts, BulkRunner } from "./bulk-runner.ts";

/** Of the page's present session: a change outlives the page that began it. */
let api: Api | null = null;
let runner: BulkRunner | null = null;

const parts: BulkParts = {
  send: async (path, body, signal) => {
    if (!api) throw new Error("bulk: there is no session");
    const options = { body, ...(signal && { signal }) };
    // Each of the paths takes the body that its action was made with.
    return await answerOf<BulkAnswer>(api.POST(path as "/messages/run", options as never) as never);
  },
  now: async (signal) => {
    if (!api) throw new Error("bulk: there is no session");
    return (await answerOf(api.GET("/stats", { signal }))).now;
  },
  isPassing: (error) => error instanceof ApiProblem && (error.status === 0 || error.status >= 500),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  storage: {
    getItem: (key) => sessionStorage.getItem(key),
    setItem: (key, value) => sessionStorage.setItem(key, value),
    removeItem: (key) => sessionStorage.removeItem(key),
  },
};

function theRunner(): BulkRunner {
  return runner ??= new BulkRunner(parts);
}

const subscribe = (listener: () => void) => theRunner().subscribe(listener);
const readProgress = () => theRunner().progress;

/** The runner, the parts of a count, and the progress of the present change. */
export function useBulk(): {
  readonly runner: BulkRunner;
  readonly parts: BulkParts;
  readonly progress: BulkProgress | null;
} {
  api = useApi();
  return { runner: theRunner(), parts, progress: useSyncExternalValue(subscribe, readProgress) };
}
