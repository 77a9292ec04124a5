/** Checks a payload by the dry run of its redrive, some time after the last key. */

import { useEffect, useState } from "preact/hooks";
import { answerOf } from "../../api/api-client.ts";
import { type ApiProblem, toProblem } from "../../api/api-problem.ts";
import { payloadIssues, type PlacedIssue } from "../../payload/payload-draft.ts";
import { useApi } from "../../shell/session.tsx";

/** The result. */
export interface PayloadCheck {
  readonly state: "none" | "checking" | "fits" | "refused";
  /** Issues with paths within the payload. */
  readonly issues: readonly PlacedIssue[];
  /** The refusal in full, or why the check could not be made. */
  readonly problem: ApiProblem | null;
}

const NONE: PayloadCheck = { state: "none", issues: [], problem: null };
/** Time after the last key, in ms. */
const PAUSE_MS = 400;

/**
 * Checks the body of a redrive.
 * @param body of the request; null if it cannot be made yet
 */
export function usePayloadCheck(id: string, body: object | null): PayloadCheck {
  const api = useApi();
  const [check, setCheck] = useState<PayloadCheck>(NONE);
  const text = body === null ? null : JSON.stringify(body);
  useEffect(() => {
    if (text === null) return setCheck(NONE);
    const asked = new AbortController();
    const timer = setTimeout(async () => {
      setCheck((before) => ({ ...before, state: "checking" }));
      const call = api.POST("/failed-messages/{id}/redrive", {
        params: { path: { id } },
        body: { ...JSON.parse(text), dryRun: true },
        signal: asked.signal,
      });
      try {
        await answerOf(call);
        if (!asked.signal.aborted) setCheck({ ...NONE, state: "fits" });
      } catch (error) {
        if (asked.signal.aborted) return;
        const problem = toProblem(error);
        setCheck({ state: "refused", issues: payloadIssues(problem.issues), problem });
      }
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      asked.abort();
    };
  }, [id, text]);
  return check;
}
