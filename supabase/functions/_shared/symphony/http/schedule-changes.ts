/** A user's changes of a schedule that they made: the body of the request, and the rules that hold for it. */

import { z } from "zod";
import { limitsOf } from "../bus/limits.ts";
import {
  changeOwnSchedule,
  isStale,
  type SeenSchedule,
  showOwnSchedule,
} from "../database/user-schedules.ts";
import { NotFoundError } from "../message/errors.ts";
import type { Messenger } from "../messenger.ts";
import { withoutNulls } from "../scheduler/arguments.ts";
import { checkSchedule } from "../scheduler/check-schedule.ts";
import { prepareChange } from "../scheduler/prepare-change.ts";
import { optionsOf, type Schedule } from "../scheduler/schedule.ts";
import type { ScheduleChanges } from "../scheduler/schedule-options.ts";
import { authorize } from "./authorize.ts";
import type { UserCaller } from "./caller.ts";
import type { DispatchMessage } from "./dispatch-body.ts";
import { allowanceOf } from "./dispatcher.ts";
import { Problem } from "./problem.ts";
import { changedConfig, changedSettings, toScheduleProblem } from "./schedule-body.ts";

/** Largest number of tries of a change beside changes of others. */
const MAX_TRIES = 5;

const options = z.strictObject({
  type: z.enum(["once", "cron", "interval"], "has to be one of once, cron, interval").optional(),
  config: changedConfig.optional(),
  // A name is refused with the words of the creation.
  ...changedSettings,
}).refine(({ type, config }) => type === undefined || config !== undefined, {
  path: ["config"],
  message: "is required with a type",
});

/** The schema of a change. Fields that are left out stay; null takes an option away. */
export const ownScheduleChanges = z.strictObject({
  payload: z.unknown().optional(),
  schedule: options.optional(),
  enabled: z.boolean("has to be true or false").optional(),
}).refine((body) => Object.keys(body).length > 0, "give payload, schedule or enabled");

type OwnScheduleChanges = z.output<typeof ownScheduleChanges>;

/** Makes the refusal of an id: the same for one that is unknown and another user's, so that ids cannot be probed. */
export function noSuchSchedule(): Problem {
  return new Problem(404, "not_found", "id: there is no schedule of yours with this id");
}

/**
 * Changes a schedule for the user who made it, and returns it. The whole schedule after the change passes the rules
 * of its creation. If another change comes between the check and the writing, both are done again.
 * @throws Problem
 */
export async function changeForUser(
  messenger: Messenger,
  caller: UserCaller,
  id: string,
  body: OwnScheduleChanges,
): Promise<Schedule> {
  const { bus, config, supabase } = messenger;
  for (let tries = 1;; tries++) {
    const seen = await showOwnSchedule(supabase, caller.user.id, id);
    if (!seen) throw noSuchSchedule();
    try {
      const { type } = seen.schedule.message;
      const changes = await allowedChanges(messenger, caller, seen, body);
      const change = changes && await prepareChange(bus, seen, changes);
      return await changeOwnSchedule(supabase, {
        userId: caller.user.id,
        id,
        change,
        seen: seen.seen,
        enabled: body.enabled,
        limits: change ? limitsOf([{ type }], allowanceOf(caller), bus.registry) : [],
        maxSchedules: config.maxUserSchedules,
      });
    } catch (error) {
      // It was deleted meanwhile.
      if (error instanceof NotFoundError) throw noSuchSchedule();
      if (!isStale(error) || tries === MAX_TRIES) throw toScheduleProblem(error);
    }
  }
}

/**
 * Checks whether a user may make a change.
 * @returns the changed options; null if there are none
 * @throws Problem 403 if the user may not; RangeError for options that do not go together
 */
async function allowedChanges(
  { bus, log }: Messenger,
  caller: UserCaller,
  { schedule }: SeenSchedule,
  body: OwnScheduleChanges,
): Promise<ScheduleChanges | null> {
  const { payload, schedule: given } = body;
  const hasPayload = "payload" in body;
  const hasChanges = hasPayload || given !== undefined;
  // Nothing stops a user from pausing what is their own, such as a type that is closed to them by now.
  if (!hasChanges && body.enabled === false) return null;
  const { queue, priority, groupKey, ...merged } = withoutNulls({
    ...optionsOf(schedule),
    ...defined(given),
  });
  checkSchedule({ ...merged }, given ?? {});
  const { type } = schedule.message;
  const whole = {
    type,
    payload: hasPayload ? payload : schedule.message.payload,
    schedule: merged,
  };
  await authorize(whole as DispatchMessage, caller, bus.registry.get(type), {
    path: [],
    log,
    kept: defined({ queue, priority, groupKey: groupKey && callersKey(groupKey, caller) }),
  });
  return hasChanges
    ? { ...defined(given), ...(hasPayload && { payload }) } as ScheduleChanges
    : null;
}

/** A group key as the caller gave it, where it was made the caller's own. */
function callersKey(groupKey: string, { user: { id } }: UserCaller): string {
  const prefix = `user:${id}:`;
  return groupKey.startsWith(prefix) ? groupKey.slice(prefix.length) : groupKey;
}

function defined<Fields extends object>(fields: Fields | undefined): Partial<Fields> {
  const given = Object.entries(fields ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Partial<Fields>;
}
