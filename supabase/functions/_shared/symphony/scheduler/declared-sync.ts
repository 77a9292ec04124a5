/** Syncs the schedules declared in code with the table: all or none, once for each version of the code. */

import type { MessageBus } from "../bus/bus.ts";
import type { SavedSchedule, ScheduleStore } from "./store.ts";
import { showValue } from "../runtime/inspect.ts";
import type { Logger } from "../runtime/log.ts";
import { allowsPast } from "./arguments.ts";
import { type CheckedSchedule, checkScheduled } from "./check-scheduled.ts";
import { type DeclaredSchedule, fingerprintOf } from "./declared.ts";
import { firstRun } from "./first-run.ts";
import type { ScheduleDraft } from "./schedule.ts";

/** Dependencies of the sync. */
export interface DeclaredSyncOptions {
  readonly store: ScheduleStore;
  readonly bus: MessageBus | undefined;
  /** Schedules declared in code; undefined if this process does not sync any. */
  readonly declared: readonly DeclaredSchedule[] | undefined;
  readonly log: Logger;
}

/** The declared schedules of one process. */
export class DeclaredSync {
  /** Whether this process has compared its declarations with those of the last sync. */
  #compared: boolean;

  /** @param options dependencies of the sync */
  constructor(private readonly options: DeclaredSyncOptions) {
    this.#compared = options.declared === undefined;
  }

  /** Whether this process knows that its declarations are stored. */
  get isSynced(): boolean {
    return this.#compared;
  }

  /**
   * Saves the declared schedules, and disables those that the code no longer declares.
   * @param dryRun returns the changes without making them
   * @throws RangeError that names the wrong option of a declaration
   */
  async sync(dryRun: boolean): Promise<SavedSchedule[]> {
    const { store, declared } = this.options;
    const checked = await this.#check();
    const now = await store.now();
    const drafts = checked.map((schedule, index): ScheduleDraft => {
      const { options } = declared?.[index] ?? {};
      const first = firstRun(schedule.definition, now, options ? allowsPast(options) : false);
      return { ...schedule, first: typeof first === "string" ? { finished: first } : first };
    });
    return await store.sync(drafts, await fingerprintOf(checked), dryRun);
  }

  /** Hash of the declarations; null if they have been compared or are wrong, which is logged. */
  async fingerprint(): Promise<string | null> {
    if (this.#compared) return null;
    try {
      return await fingerprintOf(await this.#check());
    } catch (error) {
      this.options.log.error("schedules_not_synced", { error: String(error) });
      return null;
    }
  }

  /** Takes the result of the comparison with the last sync: syncs if the declarations have changed. */
  async compared(changed: boolean): Promise<void> {
    const { log } = this.options;
    try {
      if (changed) log.info("schedules_synced", { schedules: await this.sync(false) });
      this.#compared = true;
    } catch (error) {
      log.error("schedules_not_synced", { error: String(error) });
    }
  }

  async #check(): Promise<CheckedSchedule[]> {
    const names = new Set<string>();
    return await Promise.all((this.options.declared ?? []).map(async ({ message, options }) => {
      if (options.name === undefined) throw new RangeError("name: a declared schedule needs one");
      if (names.has(options.name)) {
        throw new RangeError(`name: two schedules are declared as ${showValue(options.name)}`);
      }
      names.add(options.name);
      return await checkScheduled(this.options.bus, message, options);
    }));
  }
}
