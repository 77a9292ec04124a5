/** Checks changes of a schedule together with the options that stay. */

import type { MessageBus } from "../bus/bus.ts";
import { allowsPast, timesOf, withoutNulls } from "./arguments.ts";
import { checkScheduled } from "./check-scheduled.ts";
import { firstRun, refusedEnd } from "./first-run.ts";
import type { ScheduleChanges } from "./schedule-options.ts";
import { type DueSchedule, optionsOf, type ScheduleChange } from "./schedule.ts";

/**
 * Prepares the writing of the given changes, and of nothing else. If the times change, the next run is planned again.
 * @param bus checks the message against its definition; without a bus a payload only has to be JSON
 * @param stored the schedule before the change, and the store's clock in ms since 1970
 * @param changes options that are undefined stay; null removes one
 * @throws RangeError that names the wrong option, and the errors of {@link MessageBus.prepare}
 */
export async function prepareChange(
  bus: MessageBus | undefined,
  { schedule, now }: { readonly schedule: DueSchedule; readonly now: number },
  changes: ScheduleChanges,
): Promise<ScheduleChange> {
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const { payload = schedule.message.payload, ...rest }: ScheduleChanges = Object.fromEntries(
    given,
  );
  const before = optionsOf(schedule);
  const options = withoutNulls({ ...before, ...rest });
  const message = { type: schedule.message.type, payload };
  const checked = await checkScheduled(bus, message, options, { given: rest });
  const { definition } = checked;
  const isEndNew = definition.endAt !== null && definition.endAt !== before.endAt?.getTime();
  const first = timesOf(options) !== timesOf(before)
    ? firstRun(definition, now, allowsPast(options))
    : isEndNew
    ? refusedEnd(definition, schedule, now) ?? null
    : null;
  return {
    id: schedule.id,
    draft: { ...checked, first: typeof first === "string" ? { refused: first } : first },
    changed: given.map(([name]) => name as keyof ScheduleChanges),
  };
}
