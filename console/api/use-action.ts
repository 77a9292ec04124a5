/** A change that the operator asks for: one at a time, with its error where the button is. */

import { useRef, useState } from "preact/hooks";
import { type ApiProblem, toProblem } from "./api-problem.ts";

/** A change, as components see it. */
export interface Action<Arguments extends readonly unknown[]> {
  readonly run: (...given: Arguments) => Promise<boolean>;
  readonly isRunning: boolean;
  readonly error: ApiProblem | null;
  readonly clear: () => void;
}

/**
 * Wraps a change. `run` resolves to whether it succeeded; a second call while one runs does nothing.
 * @example
 * const pause = useAction(async (name: string) => {
 *   await answerOf(api.POST("/queues/{name}/pause", { params: { path: { name } } }));
 *   queues.reload();
 * });
 */
export function useAction<Arguments extends readonly unknown[]>(
  change: (...given: Arguments) => Promise<void>,
): Action<Arguments> {
  const [state, setState] = useState<{ isRunning: boolean; error: ApiProblem | null }>({
    isRunning: false,
    error: null,
  });
  const isBusy = useRef(false);
  const run = async (...given: Arguments) => {
    if (isBusy.current) return false;
    isBusy.current = true;
    setState({ isRunning: true, error: null });
    try {
      await change(...given);
      setState({ isRunning: false, error: null });
      return true;
    } catch (error) {
      setState({ isRunning: false, error: toProblem(error) });
      return false;
    } finally {
      isBusy.current = false;
    }
  };
  return { ...state, run, clear: () => setState({ isRunning: false, error: null }) };
}
