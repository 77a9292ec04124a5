/** The seam between the scheduler and where schedules are kept. One contract suite runs over each store. */

import type { OutgoingMessage } from "../message/envelope.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { Advance } from "./plan.ts";
import type {
  DueSchedule,
  ListedSchedule,
  Schedule,
  ScheduleChange,
  ScheduleDraft,
  ScheduleRun,
} from "./schedule.ts";

/** A schedule that was saved, and what that changed. */
export interface SavedSchedule {
  readonly id: string;
  readonly name: string | null;
  readonly change: "created" | "changed" | "unchanged" | "disabled";
}

/** Limits on a save. */
export interface SaveLimits {
  /** Rate limits that count each schedule as one message. */
  readonly limits?: readonly LimitedDispatch[];
  /** The user who makes the schedules, and how many of them the user may have at a time. */
  readonly quota?: { readonly userId: string; readonly max: number };
}

/** Which schedules to list. */
export interface ScheduleFilter {
  readonly ids?: readonly string[];
  readonly name?: string;
  /** Name of the message definition. */
  readonly messageType?: string;
  readonly enabled?: boolean;
  /** Only schedules with a larger id, for the next page. */
  readonly after?: string;
  /** Most schedules of a page; 100 by default. */
  readonly limit?: number;
}

/** A page of a user's schedules. */
export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** `after` of the next page; null on the last page. */
  readonly next: string | null;
}

/** A request for due schedules. */
export interface ScheduleClaimRequest {
  /** A new UUID for each claim; the fence of the leases that it gives. */
  readonly token: string;
  /** Most schedules of the claim. */
  readonly maxSchedules: number;
  /** How long the leases last, in ms. */
  readonly leaseMs: number;
  /** Only schedules that are due by this moment, in ms since 1970; null: by now. */
  readonly until: number | null;
  /** Hash of the caller's declarations, to be compared with those of the last sync; null: do not compare. */
  readonly fingerprint: string | null;
  /** The response to this call was lost: give the same schedules again. */
  readonly repeated: boolean;
  /** Whether the schedules come with their payloads and stamps. */
  readonly payloads: boolean;
}

/** The result of a claim of due schedules. */
export interface ScheduleClaim {
  /** With their payloads and stamps if the request says so. */
  readonly schedules: readonly DueSchedule[];
  /** Other schedules are due too, and did not fit into the claim's bytes. */
  readonly more: boolean;
  /** The store's clock, in ms since 1970. */
  readonly now: number;
  /** When the next of the other schedules can be claimed, in ms since 1970; null: none will be. */
  readonly nextAt: number | null;
  /** The caller's declarations differ from those of the last sync. */
  readonly declarationsChanged: boolean;
}

/** The result of advancing schedules. */
export interface AdvanceResult {
  /** Messages written. */
  readonly dispatched: number;
  /** Runs left out: they were missed, or the run before is not over. */
  readonly skipped: number;
  /** Ids of schedules whose lease has moved on: nothing was changed for them. */
  readonly stale: readonly string[];
}

/**
 * Where schedules are kept. Its clock decides what is due. Every method throws a RangeError that names
 * what it refuses (NotFoundError for an unknown id), and TransportError if the store is out of reach.
 */
export interface ScheduleStore {
  /** The store's clock, in ms since 1970. */
  now(): Promise<number>;
  /** Leases due schedules, the earliest first. */
  claim(request: ScheduleClaimRequest): Promise<ScheduleClaim>;
  /**
   * Writes, in one transaction, the runs that were planned for schedules under a lease, their messages
   * and each schedule's next run. An occurrence that has a run already gets no second message.
   */
  advance(token: string, advances: readonly Advance[]): Promise<AdvanceResult>;
  /**
   * Makes schedules, or changes those that have their names; all or none.
   * @throws RateLimitedError at a rate limit, ConflictError at the user's quota
   */
  save(drafts: readonly ScheduleDraft[], limits?: SaveLimits): Promise<SavedSchedule[]>;
  /** Changes the given options of a schedule and nothing else. @throws ConflictError for a taken name */
  change(change: ScheduleChange): Promise<void>;
  /**
   * Saves all declared schedules, and disables those that are declared no more; all or none.
   * @param fingerprint of the declarations, for later claims
   * @param dryRun only returns what would change
   */
  sync(
    drafts: readonly ScheduleDraft[],
    fingerprint: string,
    dryRun: boolean,
  ): Promise<SavedSchedule[]>;
  /** Schedules by id, without their payloads. */
  list(filter: ScheduleFilter): Promise<ListedSchedule[]>;
  /**
   * A schedule with its payload and stamps, null for an unknown id; and the store's clock.
   * @param options.exact for people: numbers of the payload that a double would change are text
   */
  show(
    id: string,
    options?: { readonly exact?: boolean },
  ): Promise<{ schedule: DueSchedule | null; now: number }>;
  /** A user's schedules by id, without their queue, priority and group. */
  listOfUser(userId: string, after: string, limit: number): Promise<SchedulePage>;
  /** The latest runs of a schedule, the newest first; with `before`, those that were planned before it. */
  runs(id: string, limit: number, before?: Date): Promise<ScheduleRun[]>;
  /** Disables a schedule until it is resumed. */
  pause(id: string, reason: string | null): Promise<void>;
  /** Enables a schedule; its plan continues from now. */
  resume(id: string): Promise<void>;
  /**
   * Runs a schedule once now and returns the message's id.
   * @param counted whether the run counts against `maxRuns`
   * @param message the message to write; null: the one that the schedule describes
   * @throws ConflictError if the run before is not over (overlap 'skip'), or `maxRuns` is reached
   */
  trigger(
    schedule: Pick<Schedule, "id" | "message">,
    counted: boolean,
    message: OutgoingMessage | null,
  ): Promise<string>;
  /**
   * Removes a schedule and the record of its runs. Returns whether it was there.
   * @param userId only if this user has made it
   */
  remove(id: string, userId: string | undefined): Promise<boolean>;
}
