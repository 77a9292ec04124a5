/** Lines of the queues of a list: one request for all of them, once a minute. */

import { answerOf } from "../../api/api-client.ts";
import { toProblem } from "../../api/api-problem.ts";
import { useResource } from "../../api/use-resource.ts";
import { useApi } from "../../shell/session.tsx";

const EVERY_MS = 60_000;

/** Due messages of each queue by its name, in bins of the last hour; empty until they come. */
export function useBacklogs(names: readonly string[]): ReadonlyMap<string, readonly number[]> {
  const api = useApi();
  const queues = names.join(",");
  const { data } = useResource(
    queues === "" ? null : `backlogs ${queues}`,
    async (signal) => {
      try {
        return await answerOf(api.GET("/backlogs", { params: { query: { queues } }, signal }));
      } catch (error) {
        // Functions of an older release have no such path: the list does without the lines.
        if (toProblem(error).isNotFound) return { queues: [] };
        throw error;
      }
    },
    { everyMs: EVERY_MS, keepsData: true },
  );
  return new Map(data?.queues.map(({ name, due }) => [name, due]));
}
