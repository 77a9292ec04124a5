/** The user's schedules, and their changes. */

import type { MessengerError, OwnSchedule } from "symphony-messenger/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { messenger } from "../project.ts";

/** The user's choices of a schedule. */
export interface Choice {
  readonly pages: number;
  /** Whole seconds between two runs. */
  readonly seconds: number;
}

/** The schedules, and what can be done with them. Each change resolves to whether it succeeded. */
export interface Schedules {
  readonly schedules: readonly OwnSchedule[];
  readonly isLoading: boolean;
  readonly error: MessengerError | undefined;
  refresh(): Promise<void>;
  create(choice: Choice): Promise<boolean>;
  change(id: OwnSchedule["id"], choice: Choice): Promise<boolean>;
  setEnabled(id: OwnSchedule["id"], enabled: boolean): Promise<boolean>;
  remove(id: OwnSchedule["id"]): Promise<boolean>;
}

const timesOf = ({ seconds }: Choice) =>
  ({ type: "interval", config: { interval: `${seconds}s` } }) as const;

/** Loads them once, again after each change, and when the soonest of them has run; then it calls `onRun`. */
export function useSchedules(onRun: () => void): Schedules {
  const [state, setState] = useState<Pick<Schedules, "schedules" | "isLoading" | "error">>({
    schedules: [],
    isLoading: true,
    error: undefined,
  });
  // A refusal stays until the next change: a list that is loaded meanwhile does not take it away.
  const [refusal, setRefusal] = useState<MessengerError>();
  // Answers may come in another order than their requests: the last request counts.
  const last = useRef(0);

  const refresh = useCallback(async () => {
    const request = ++last.current;
    const next = await messenger.schedules.list().then(
      ({ schedules }) => ({ schedules, error: undefined }),
      (error: MessengerError) => ({ error }),
    );
    if (request === last.current) setState((state) => ({ ...state, ...next, isLoading: false }));
  }, []);

  useEffect(() => {
    void refresh();
    // After an unmount no answer counts.
    return () => void last.current++;
  }, [refresh]);
  useAfterRun(state.schedules, () => void refresh().then(onRun));

  const act = async (change: () => Promise<unknown>): Promise<boolean> => {
    setRefusal(undefined);
    try {
      await change();
    } catch (error) {
      setRefusal(error as MessengerError);
      return false;
    }
    await refresh();
    return true;
  };
  const { schedules } = messenger;
  return {
    ...state,
    error: refusal ?? state.error,
    refresh,
    create: (choice) =>
      act(() => schedules.create("ExportReport", { pages: choice.pages }, timesOf(choice))),
    change: (id, choice) =>
      act(() =>
        schedules.update(id, { payload: { pages: choice.pages }, schedule: timesOf(choice) })
      ),
    setEnabled: (id, enabled) => act(() => schedules.update(id, { enabled })),
    remove: (id) => act(() => schedules.delete(id)),
  };
}

const AFTER_RUN_MS = 2_000;
/** Browsers fire a timer that is longer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back when the soonest run is due, a moment later: a tick has to come. */
function useAfterRun(schedules: readonly OwnSchedule[], onRun: () => void): void {
  const latest = useRef(onRun);
  useEffect(() => void (latest.current = onRun));
  useEffect(() => {
    const runs = schedules.flatMap(({ enabled, nextRunAt }) =>
      enabled && nextRunAt ? [Date.parse(nextRunAt)] : []
    );
    if (runs.length === 0) return;
    const delayMs = Math.max(0, Math.min(...runs) - Date.now()) + AFTER_RUN_MS;
    const timer = setTimeout(() => latest.current(), Math.min(delayMs, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  }, [schedules]);
}
