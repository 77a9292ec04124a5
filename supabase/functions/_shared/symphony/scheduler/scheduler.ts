/** The scheduler: makes schedules, keeps them in hand, and dispatches the messages that are due. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Stamps } from "../message/envelope.ts";
import { NotFoundError } from "../message/errors.ts";
import { showValue } from "../runtime/inspect.ts";
import { createLogger, type Logger } from "../runtime/log.ts";
import { checkNames } from "../runtime/option-names.ts";
import { toStorableJson } from "../message/payload.ts";
import {
  allowsPast,
  checkCount,
  checkId,
  checkLifetime,
  checkMessage,
  checkScheduleFilter,
  timesOf,
  withoutNulls,
  withoutStamps,
} from "./arguments.ts";
import { checkSchedule } from "./check-schedule.ts";
import { type DeclaredSchedule, fingerprintOf } from "./declared.ts";
import { firstRun } from "./first-run.ts";
import type { ScheduleChanges, ScheduleOptions } from "./schedule-options.ts";
import { previewSchedule, previewStored } from "./preview.ts";
import { makeMessage } from "./prepare.ts";
import { processDue, type SchedulesRun } from "./processing.ts";
import {
  type DueSchedule,
  type ListedSchedule,
  optionsOf,
  type Schedule,
  type ScheduledMessage,
  type ScheduleDraft,
  type ScheduleRun,
} from "./schedule.ts";
import {
  type SavedSchedule,
  type SaveLimits,
  type ScheduleFilter,
  type SchedulePage,
  ScheduleStore,
} from "../database/schedules.ts";

/** What a scheduler is made of. */
export interface SchedulerOptions {
  /** Made with a secret key. */
  readonly supabase: SupabaseClient;
  /** Checks messages against their definitions; where absent, a payload only has to be JSON. */
  readonly bus?: MessageBus;
  /** Schedules declared in code; the first processing of a new version syncs them. */
  readonly declared?: readonly DeclaredSchedule[];
  readonly log?: Logger;
  /** How long one call of the database may take, in ms; 10 s where absent. */
  readonly timeoutMs?: number;
  /**
   * For how long claimed schedules are this process's, in ms; 30 s where absent. Shorter than the
   * minute between two ticks, so that the next one takes over what a dead one held.
   */
  readonly leaseMs?: number;
  /** A number from 0 to less than 1, for the jitter; `Math.random` where absent. */
  readonly random?: () => number;
}

const OPTIONS = Object.keys(
  {
    supabase: true,
    bus: true,
    declared: true,
    log: true,
    timeoutMs: true,
    leaseMs: true,
    random: true,
  } satisfies Record<keyof SchedulerOptions, true>,
);

type Checked = Pick<ScheduleDraft, "definition" | "message"> & { readonly stamps?: Stamps };

/**
 * Schedules of messages. Every method throws a RangeError that names the option or argument which is
 * wrong, and TransportError where the database does not answer.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #store: ScheduleStore;
  readonly #log: Logger;
  /** Whether this process has compared the declarations with those of the last sync. */
  #compared: boolean;

  constructor(options: SchedulerOptions) {
    checkNames(options, OPTIONS);
    this.#options = options;
    this.#store = new ScheduleStore(options.supabase, options.timeoutMs ?? 10_000);
    this.#log = options.log ?? createLogger();
    this.#compared = options.declared === undefined;
  }

  /** Whether this process has seen to it that the schedules declared in code are stored. */
  get isSynced(): boolean {
    return this.#compared;
  }

  /**
   * Makes a schedule, or changes the one that has its `name`, and answers its id. Where nothing is
   * different, that one goes on undisturbed.
   * @param more.stamps what travels with each message
   * @param more.limits rate limits that count the schedule as one message
   * @param more.quota whose schedule it is, and how many of them there may be at a time
   * @throws UnknownMessageTypeError, InvalidPayloadError, RateLimitedError; ConflictError at the quota
   */
  async schedule(
    message: ScheduledMessage,
    options: ScheduleOptions,
    more: SaveLimits & { readonly stamps?: Stamps } = {},
  ): Promise<string> {
    checkNames(more, ["stamps", "limits", "quota"]);
    const checked = await this.#check(message, options, more);
    const first = firstRun(checked.definition, await this.#store.now(), allowsPast(options));
    const [saved] = await this.#store.save([{
      ...checked,
      first: typeof first === "string" ? { refused: first } : first,
    }], more);
    return String(saved?.id);
  }

  /**
   * Dispatches the messages of runs that are due, by the database's clock. Any number of processes
   * may do so at once.
   * @param limit at most so many messages; what is left is due again
   * @returns how many messages it dispatched
   */
  async processDueMessages(limit = 100): Promise<number> {
    return (await this.process(limit)).report.dispatched;
  }

  /**
   * Does what {@link processDueMessages} does, and tells all of it. Where nothing is due it is one
   * short call of the database, so it may be asked as often as a tick likes.
   * @param limit at most so many messages; what is left is due again
   */
  async process(limit = 100): Promise<SchedulesRun> {
    checkCount(limit, "limit");
    return await processDue(limit, {
      store: this.#store,
      bus: this.#options.bus,
      log: this.#log,
      leaseMs: this.#options.leaseMs ?? 30_000,
      random: this.#options.random ?? Math.random,
      fingerprint: await this.#fingerprint(),
      onCompared: (changed) => this.#compare(changed),
    });
  }

  /** Schedules in the order of their ids, a page at a time, without their payloads. */
  async list(filter: ScheduleFilter = {}): Promise<ListedSchedule[]> {
    return await this.#store.list(checkScheduleFilter(filter));
  }

  /**
   * Schedules that a user has made over HTTPS, in the order of their ids. A page ends with 4 MiB of
   * payloads.
   * @param page.after only those behind this id
   * @param page.limit at most so many; 100 by default
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

  /** One schedule with its payload; null if there is none with this id. */
  async get(id: string): Promise<Schedule | null> {
    const { schedule } = await this.#store.show(checkId(id));
    return schedule ? withoutStamps(schedule) : null;
  }

  /** The latest runs of a schedule, the newest first. */
  async runs(id: string, limit = 20): Promise<ScheduleRun[]> {
    return await this.#store.runs(checkId(id), checkCount(limit, "limit"));
  }

  /**
   * Changes what is given and leaves the rest, whatever others change of it at this moment; null takes an
   * option away. Where the times change, the next run is planned anew. A schedule that has disabled
   * itself is enabled again.
   */
  async update(id: string, changes: ScheduleChanges): Promise<void> {
    const { schedule, now } = await this.#require(id);
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const { payload = schedule.message.payload, ...rest }: ScheduleChanges = Object.fromEntries(
      given,
    );
    const before = optionsOf(schedule);
    const options = withoutNulls({ ...before, ...rest });
    const message = { type: schedule.message.type, payload };
    const checked = await this.#check(message, options, { given: rest });
    const first = timesOf(options) === timesOf(before)
      ? null
      : firstRun(checked.definition, now, allowsPast(options));
    await this.#store.change({
      id,
      draft: { ...checked, first: typeof first === "string" ? { refused: first } : first },
      changed: given.map(([name]) => name as keyof ScheduleChanges),
    });
  }

  /** Stops a schedule until it is resumed. */
  async pause(id: string, reason?: string): Promise<void> {
    await this.#store.pause(checkId(id), reason ?? null);
  }

  /** Lets a schedule go on from now. Runs planned in between are not made up; a single run is. */
  async resume(id: string): Promise<void> {
    await this.#store.resume(checkId(id));
  }

  /**
   * Runs a schedule once now, paused or not, and answers the message's id.
   * @param options.count whether it counts against `maxRuns`; no where absent
   * @throws UnknownMessageTypeError, InvalidPayloadError, and what middleware throws
   */
  async trigger(id: string, options: { readonly count?: boolean } = {}): Promise<string> {
    checkNames(options, ["count"]);
    const { schedule, now } = await this.#require(id);
    const { count = false } = options;
    const { bus } = this.#options;
    const number = count ? schedule.runCount + 1 : 0;
    const message = bus ? await makeMessage(schedule, { occurrence: now, number }, { bus }) : null;
    return await this.#store.trigger(id, count, message);
  }

  /**
   * Removes a schedule and the record of its runs. Answers whether it was there.
   * @param options.userId only if this user has made it
   */
  async unschedule(id: string, options: { readonly userId?: string } = {}): Promise<boolean> {
    checkNames(options, ["userId"]);
    return await this.#store.remove(checkId(id), options.userId);
  }

  /**
   * The next `n` occurrences, of a schedule by its id or of options.
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
   * Makes the declared schedules what the code says, all or none, and disables those that were
   * declared once and are no more.
   * @param options.dryRun only answers what would change
   */
  async sync(options: { readonly dryRun?: boolean } = {}): Promise<SavedSchedule[]> {
    checkNames(options, ["dryRun"]);
    const checked = await this.#declared();
    const now = await this.#store.now();
    const drafts = checked.map((schedule, index): ScheduleDraft => {
      const { options } = this.#options.declared?.[index] ?? {};
      const first = firstRun(schedule.definition, now, options ? allowsPast(options) : false);
      return { ...schedule, first: typeof first === "string" ? { finished: first } : first };
    });
    const fingerprint = await fingerprintOf(checked);
    return await this.#store.sync(drafts, fingerprint, options.dryRun ?? false);
  }

  async #check(
    message: ScheduledMessage,
    options: ScheduleOptions,
    { stamps, given = options }: { readonly stamps?: Stamps; readonly given?: object } = {},
  ): Promise<Checked> {
    const definition = checkSchedule(options, given);
    const { type, payload } = checkMessage(message);
    // As it was given: what middleware makes of it, it makes at each run.
    const stored = { type, payload: toStorableJson(type, payload) };
    const { bus } = this.#options;
    if (!bus) return { definition, message: stored, ...(stamps && { stamps }) };
    const prepared = await bus.prepare({ type, payload, options: stamps ? { stamps } : {} });
    checkLifetime(definition, prepared.ttlMs);
    return {
      definition,
      message: stored,
      ...(prepared.stamps && { stamps: prepared.stamps }),
    };
  }

  async #declared(): Promise<Checked[]> {
    const names = new Set<string>();
    return await Promise.all((this.#options.declared ?? []).map(async (declared) => {
      const { message, options } = declared;
      if (options.name === undefined) throw new RangeError("name: a declared schedule needs one");
      if (names.has(options.name)) {
        throw new RangeError(`name: two schedules are declared as ${showValue(options.name)}`);
      }
      names.add(options.name);
      return await this.#check(message, options);
    }));
  }

  /** The declarations' fingerprint, until they have been compared. Wrong ones are logged. */
  async #fingerprint(): Promise<string | null> {
    if (this.#compared) return null;
    try {
      return await fingerprintOf(await this.#declared());
    } catch (error) {
      this.#log.error("schedules_not_synced", { error: String(error) });
      return null;
    }
  }

  async #compare(changed: boolean): Promise<void> {
    try {
      if (changed) this.#log.info("schedules_synced", { schedules: await this.sync() });
      this.#compared = true;
    } catch (error) {
      this.#log.error("schedules_not_synced", { error: String(error) });
    }
  }

  async #require(id: string): Promise<{ schedule: DueSchedule; now: number }> {
    const { schedule, now } = await this.#store.show(checkId(id));
    if (!schedule) throw new NotFoundError(`id: there is no schedule ${id}`);
    return { schedule, now };
  }
}
