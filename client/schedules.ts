/** A user's own schedules. */

import type {
  OwnSchedule,
  OwnSchedules,
} from "../supabase/functions/_shared/symphony/scheduler/own-schedule.ts";
import type {
  ScheduleChanges,
  ScheduleOptions,
} from "../supabase/functions/_shared/symphony/scheduler/schedule-options.ts";
import { nameOf } from "./dispatch.ts";
import { idOf, type ScheduleId, type ScheduleRef } from "./ids.ts";
import { checked } from "./given.ts";
import type { AnyMessages, MessagesShape, MessageType, TypeOf } from "./message.ts";
import { page } from "./own.ts";
import type { Abortable, Requester } from "./request.ts";

/** A schedule that was made. */
export interface Scheduled {
  /** Tells it from a message, whose ids are numbers too. */
  readonly kind: "schedule";
  readonly id: ScheduleId;
}

/** Changes of a schedule. */
export interface OwnScheduleChanges {
  readonly payload?: unknown;
  /** Null removes an option. `config` without `type` keeps the type. */
  readonly schedule?: Omit<ScheduleChanges, "payload"> | undefined;
  /** False pauses it. */
  readonly enabled?: boolean | undefined;
}

/** Makes, shows, changes and deletes the user's own schedules. */
export interface SchedulesClient<Messages extends MessagesShape<Messages> = AnyMessages> {
  /** Makes a schedule. With a `name`, a second call changes the first one's schedule. */
  create<Type extends TypeOf<Messages>>(
    type: Type,
    payload: Messages[Type]["payload"],
    schedule: ScheduleOptions,
    options?: Abortable,
  ): Promise<Scheduled>;
  create<Payload>(
    message: MessageType<Payload>,
    payload: NoInfer<Payload>,
    schedule: ScheduleOptions,
    options?: Abortable,
  ): Promise<Scheduled>;
  /**
   * Lists a page of them, in the order of their creation.
   * @param page.cursor the `next` of the page before
   * @param page.limit largest number of schedules, 1 to 200; default: 50
   */
  list(
    page?:
      & { readonly cursor?: string | undefined; readonly limit?: number | undefined }
      & Abortable,
  ): Promise<OwnSchedules>;
  /** Returns one. @throws MessengerError `not_found` if it does not exist or is another user's */
  get(schedule: ScheduleRef, options?: Abortable): Promise<OwnSchedule>;
  /** Changes one, within the rules of its creation. */
  update(
    schedule: ScheduleRef,
    changes: OwnScheduleChanges,
    options?: Abortable,
  ): Promise<OwnSchedule>;
  /** Deletes one. @throws MessengerError `not_found` if it does not exist or is another user's */
  delete(schedule: ScheduleRef, options?: Abortable): Promise<void>;
}

/** Makes the client of the schedules. */
export function schedulesClient<Messages extends MessagesShape<Messages>>(
  request: Requester,
): SchedulesClient<Messages> {
  // deno-lint-ignore require-await -- a wrong id is a rejection
  const path = async (ref: ScheduleRef) => `/schedules/${idOf(ref, "schedule")}`;
  return {
    create: async (
      type: string | { readonly type: string },
      payload: unknown,
      given: ScheduleOptions,
      options?: Abortable,
    ) => {
      const { queue, priority, groupKey, ...schedule } = checked(given, "schedule");
      const { scheduleId: id } = await request<{ scheduleId: string }>(
        ...["", "scheduleId", options, "POST"] as const,
        { type: nameOf(type), payload, queue, priority, groupKey, schedule },
        // A second schedule with the same name is the first one.
        !schedule.name,
      );
      return { kind: "schedule" as const, id };
    },
    list: (options) => page(request, "/schedules", options),
    get: (ref, options) => request(path(ref), "id", options),
    update: (ref, body, options) => request(path(ref), "id", options, "PATCH", body),
    // After an answer that was lost, a second deletion would find nothing.
    delete: (ref, options) => request(path(ref), "removed", options, "DELETE", undefined, true),
  };
}
