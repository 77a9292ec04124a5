/** The one change of many messages of this tab, which outlives the page that began it, and ends with its operator. */

import { answerOf, type Api } from "../api/api-client.ts";
import { ApiProblem } from "../api/api-problem.ts";
import type { BulkAnswer } from "./bulk-action.ts";
import { type BulkParts, BulkRunner } from "./bulk-runner.ts";

/** Of the present session. */
let api: Api | null = null;
let runner: BulkRunner | null = null;

/** The parts of the runner and of counts. */
export const tabParts: BulkParts = {
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

/** The runner; the first call makes it. */
export function tabRunner(): BulkRunner {
  return runner ??= new BulkRunner(tabParts);
}

/** Tells with which session requests are made. */
export function setBulkApi(present: Api): void {
  api = present;
}

/** Tells who operates, as the API knows them. */
export function enterBulk(operator: string): void {
  tabRunner().enter(operator);
}

/** Ends the change of an operator who leaves. */
export function leaveBulk(): void {
  tabRunner().leave();
}
