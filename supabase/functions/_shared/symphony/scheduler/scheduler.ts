/** The scheduler: saves schedules, changes them, and dispatches their messages when they are due. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Stamps } from "../message/envelope.ts";
import { NotFoundError } from "../message/errors.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { checkNames } from "../runtime/option-names.ts";
import {
  allowsPast,
  checkCount,
  checkId,
  checkScheduleFilter,
  withoutStamps,
} from "./arguments.ts";
import { checkScheduled } from "./check-scheduled.ts";
import { type DeclaredSchedule, isDeclared } from "./declared.ts";
import { checkDefinitions } from "../message/definition-lists.ts";
import { DeclaredSync } from "./declared-sync.ts";
import { firstRun } from "./first-run.ts";
import type { ScheduleChanges, ScheduleOptions } from "./schedule-options.ts";
import { previewSchedule, previewStored } from "./preview.ts";
import { prepareChange } from "./prepare-change.ts";
import { makeMessage } from "./prepare.ts";
import { processDue, type SchedulesRun } from "./processing.ts";
import {
  type DueSchedule,
  type ListedSchedule,
  type Schedule,
  type ScheduledMessage,
  type ScheduleRun,
} from "./schedule.ts";
import { PostgresScheduleStore } from "../database/schedule-store.ts";
import type {
  SavedSchedule,
  SaveLimits,
  ScheduleFilter,
  SchedulePage,
  ScheduleStore,
} from "./store.ts";

/** Options of a scheduler. */
export interface SchedulerOptions {
  /** A client with a secret key. */
  readonly supabase: SupabaseClient;
  /** Where schedules are kept; default: Postgres, over `supabase`. */
  readonly store?: ScheduleStore;
  /** Checks messages against their definitions. Without a bus a payload only has to be JSON. */
  readonly bus?: MessageBus;
  /** Schedules declared in code; the first processing of a new version syncs them. */
  readonly declared?: readonly DeclaredSchedule[];
  readonly log?: Logger;
  /** Longest time of one database call, in ms; default: 10 s. */
  readonly timeoutMs?: number;
  /**
   * Length of the lease on claimed schedules, in ms; default: 30 s. It is shorter than the minute between
   * two ticks, so that the next tick takes over the schedules of a dead one.
   */
  readonly leaseMs?: number;
  /** Returns a number from 0 to less than 1, for the jitter; default: `Math.random`. */
  readonly random?: () => number;
}

const OPTIONS = Object.keys(
  {
    supabase: true,
    store: true,
    bus: true,
    declared: true,
    log: true,
    timeoutMs: true,
    leaseMs: true,
    random: true,
  } satisfies Record<keyof SchedulerOptions, true>,
);

/**
 * Schedules of messages. Every method throws a RangeError that names a wrong option or argument, and a
 * TransportError if the database call failed.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #store: ScheduleStore;
  readonly #log: Logger;
  readonly #declared: DeclaredSync;

  constructor(options: SchedulerOptions) {
    checkNames(options, OPTIONS);
    if (options.declared) {
      checkDefinitions(options.declared, "schedules", isDeclared, "defineSchedule");
    }
    this.#options = options;
    this.#store = options.store ??
      new PostgresScheduleStore(options.supabase, options.timeoutMs ?? 10_000);
    this.#log = options.log ?? createLogger();
    this.#declared = new DeclaredSync({
      store: this.#store,
      bus: options.bus,
      declared: options.declared,
      log: this.#log,
    });
  }

  /** Whether this process knows that the schedules declared in code are stored. */
  get isSynced(): boolean {
    return this.#declared.isSynced;
  }

  /**
   * Makes a schedule, or changes the one that has its `name`, and returns its id. An equal schedule stays
   * unchanged.
   * @param more.stamps facts that travel with each message
   * @param more.limits rate limits that count the schedule as one message
   * @param more.quota the user who owns the schedule, and the largest number of unfinished ones
   * @throws UnknownMessageTypeError, InvalidPayloadError, RateLimitedError; ConflictError at the quota
   */
  async schedule(
    message: ScheduledMessage,
    options: ScheduleOptions,
    more: SaveLimits & { readonly stamps?: Stamps } = {},
  ): Promise<string> {
    checkNames(more, ["stamps", "limits", "quota"]);
    const checked = await checkScheduled(this.#options.bus, message, options, more);
    const first = firstRun(checked.definition, await this.#store.now(), allowsPast(options));
    const [saved] = await this.#store.save([{
      ...checked,
      first: typeof first === "string" ? { refused: first } : first,
    }], more);
    return String(saved?.id);
  }

  /**
   * Dispatches the messages of runs that are due, by the database's clock. Any number of processes may do
   * so at once.
   * @param limit largest number of messages; further runs are due again
   * @returns number of dispatched messages
   */
  async processDueMessages(limit = 100): Promise<number> {
    return (await this.process(limit)).report.dispatched;
  }

  /**
   * Like {@link processDueMessages}, with a report and the time until the next run. If nothing is due, it
   * makes one short database call, so that a tick may call it often.
   * @param limit largest number of messages; further runs are due again
   * @param hasRoom whether a further claim may begin behind the first; default: yes
   */
  async process(limit = 100, hasRoom?: () => boolean): Promise<SchedulesRun> {
    checkCount(limit, "limit");
    return await processDue(limit, {
      store: this.#store,
      bus: this.#options.bus,
      log: this.#log,
      hasRoom,
      leaseMs: this.#options.leaseMs ?? 30_000,
      random: this.#options.random ?? Math.random,
      fingerprint: await this.#declared.fingerprint(),
      onCompared: (changed) => this.#declared.compared(changed),
    });
  }

  /** Lists schedules in the order of their ids, a page at a time, without their payloads. */
  async list(filter: ScheduleFilter = {}): Promise<ListedSchedule[]> {
    return await this.#store.list(checkScheduleFilter(filter));
  }

  /**
   * Lists schedules that a user made over HTTPS, in the order of their ids. A page ends when it holds 4 MiB
   * of payloads.
   * @param page.after only schedules after this id
   * @param page.limit largest number of schedules; default: 100
   */
  async listOfUser(
    userId: string,
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<SchedulePage> {
    checkNames(page, ["after", "limit"]);
    const { after = "0", limit = 100 } = page;
    return await this.#store.listOfUser(
      userId,
      checkId(after, "after"),
      checkCount(limit, "limit"),
    );
  }

  /**
   * Returns one schedule with its payload; null if the id is unknown. Numbers that SQL has written and that
   * JavaScript would change are text.
   */
  async get(id: string): Promise<Schedule | null> {
    const { schedule } = await this.#store.show(checkId(id), { exact: true });
    return schedule ? withoutStamps(schedule) : null;
  }

  /**
   * Returns the latest runs of a schedule, the newest first.
   * @param before only those that were planned before this time
   */
  async runs(id: string, limit = 20, before?: Date): Promise<ScheduleRun[]> {
    return await this.#store.runs(checkId(id), checkCount(limit, "limit"), before);
  }

  /**
   * Changes the given options and leaves the others, even if another call changes those at the same time.
   * Null removes an option. If the times change, the next run is planned again. A schedule that was
   * disabled as finished or invalid is enabled again.
   */
  async update(id: string, changes: ScheduleChanges): Promise<void> {
    const stored = await this.#require(id);
    await this.#store.change(await prepareChange(this.#options.bus, stored, changes));
  }

  /** Stops a schedule until it is resumed. */
  async pause(id: string, reason?: string): Promise<void> {
    await this.#store.pause(checkId(id), reason ?? null);
  }

  /**
   * Resumes a schedule. Runs that were missed during the pause are not made up, except a single run.
   * @throws RangeError that names the option for which the next tick would disable it again
   */
  async resume(id: string): Promise<void> {
    const { schedule, now } = await this.#require(id);
    previewStored(schedule, 1, now);
    await this.#store.resume(schedule.id);
  }

  /**
   * Runs a schedule once now, paused or not, and returns the message's id.
   * @param options.count whether the run counts against `maxRuns`; default: false
   * @throws UnknownMessageTypeError, InvalidPayloadError, and errors of middleware
   */
  async trigger(id: string, options: { readonly count?: boolean } = {}): Promise<string> {
    checkNames(options, ["count"]);
    const { schedule, now } = await this.#require(id);
    const { count = false } = options;
    const { bus } = this.#options;
    const number = count ? schedule.runCount + 1 : 0;
    const message = bus ? await makeMessage(schedule, { occurrence: now, number }, { bus }) : null;
    return await this.#store.trigger(schedule, count, message);
  }

  /**
   * Removes a schedule and the record of its runs. Returns whether the schedule existed.
   * @param options.userId removes it only if this user made it
   */
  async unschedule(id: string, options: { readonly userId?: string } = {}): Promise<boolean> {
    checkNames(options, ["userId"]);
    return await this.#store.remove(checkId(id), options.userId);
  }

  /**
   * Returns the next `n` occurrences of a stored schedule, by its id, or of options.
   * @param n 1 to 1,000
   */
  async preview(schedule: string | ScheduleOptions, n = 5): Promise<Date[]> {
    if (typeof schedule !== "string") {
      return previewSchedule(schedule, n, new Date(await this.#store.now()));
    }
    const { schedule: stored, now } = await this.#require(schedule);
    return previewStored(stored, n, now);
  }

  /**
   * Saves the schedules declared in code, all or none, and disables those that the code no longer declares.
   * @param options.dryRun returns the changes without making them
   */
  async sync(options: { readonly dryRun?: boolean } = {}): Promise<SavedSchedule[]> {
    checkNames(options, ["dryRun"]);
    return await this.#declared.sync(options.dryRun ?? false);
  }

  async #require(id: string): Promise<{ schedule: DueSchedule; now: number }> {
    const { schedule, now } = await this.#store.show(checkId(id));
    if (!schedule) throw new NotFoundError(`id: there is no schedule ${id}`);
    return { schedule, now };
  }
}
