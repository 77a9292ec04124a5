/** The next times of a schedule that is being typed. */

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { answerOf, type Schemas } from "../../api/api-client.ts";
import type { ApiProblem } from "../../api/api-problem.ts";
import { useResource } from "../../api/use-resource.ts";
import { Skeleton } from "../../components/resource-view.tsx";
import { useApi } from "../../shell/session.tsx";
import { placeProblems } from "./schedule-form-errors.ts";
import { errorsOf, scheduleOf, type ScheduleTexts } from "./schedule-form-model.ts";
import { PlannedTimes } from "./planned-times.tsx";
import { plainWords, useCronWords } from "./schedule-words.ts";

/** Rest after the last key, in ms, before the times are asked for. */
const TYPING_MS = 350;
const EVERY_MS = 30_000;
const TIMES = 6;

/** A preview: times, or why there are none. */
export interface Preview {
  readonly times: Schemas["PlannedTimes"] | undefined;
  readonly problem: ApiProblem | null;
  /** Whether the times are those of the texts before. */
  readonly isBehind: boolean;
}

/** Asks for the next times of the texts, as the operator types. */
export function usePreview(texts: ScheduleTexts): Preview {
  const api = useApi();
  const { cron, interval, at } = errorsOf(texts);
  const wanted = cron || interval || at ? null : JSON.stringify(scheduleOf(texts));
  const [asked, setAsked] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(wanted), TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const resource = useResource(
    asked === null ? null : `preview ${asked}`,
    (signal) =>
      answerOf(api.POST("/schedules/preview", {
        body: { schedule: JSON.parse(asked ?? "{}"), n: TIMES },
        signal,
      })),
    { everyMs: EVERY_MS, keepsData: true },
  );
  return {
    times: asked === null || resource.error ? undefined : resource.data,
    problem: asked === null || asked !== wanted ? null : resource.error,
    isBehind: asked !== wanted || resource.isLoading,
  };
}

/** Shows the schedule in words, and its next times. */
export function SchedulePreview(
  { texts, preview }: { readonly texts: ScheduleTexts; readonly preview: Preview },
): JSX.Element {
  const words = useCronWords(texts.kind === "cron" ? texts.cron.trim() : null);
  const { times, problem, isBehind } = preview;
  return (
    <aside class="card schedule-preview" aria-live="polite" aria-busy={isBehind}>
      <h2>Next runs</h2>
      <p class="schedule-words">
        {texts.kind === "cron" ? words ?? "–" : wordsOf(texts)}
      </p>
      {problem
        ? <p class="field-error">{firstWords(problem)}</p>
        : times
        ? <PlannedTimes planned={times} />
        : isBehind
        ? <Skeleton rows={TIMES} />
        : <p class="muted">Say when it runs to see its times.</p>}
    </aside>
  );
}

function wordsOf({ kind, interval }: ScheduleTexts): string {
  if (kind === "once") return plainWords({ type: "once", config: {}, timezone: "UTC" });
  return interval ? `Every ${interval}` : "–";
}

function firstWords(problem: ApiProblem): string {
  const { fields, others } = placeProblems(problem);
  return [...Object.values(fields), ...others][0] ?? problem.message;
}
