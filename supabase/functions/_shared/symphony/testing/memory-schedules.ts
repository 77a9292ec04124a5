/** Schedules in memory: behaves as the store on Postgres does, over a transport in memory. */

import { NotFoundError } from "../message/errors.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import type { Advance } from "../scheduler/plan.ts";
import type {
  DueSchedule,
  ListedSchedule,
  Schedule,
  ScheduleChange,
  ScheduleDraft,
  ScheduleRun,
} from "../scheduler/schedule.ts";
import type {
  AdvanceResult,
  SavedSchedule,
  SaveLimits,
  ScheduleClaim,
  ScheduleClaimRequest,
  ScheduleFilter,
  SchedulePage,
  ScheduleStore,
} from "../scheduler/store.ts";
import type { InMemoryTransport } from "../transport/memory.ts";
import { claimSchedules } from "./claim-schedules.ts";
import { ScheduleRunner } from "./run-schedules.ts";
import { checkQuota, isOfUser } from "./schedule-quota.ts";
import { changeSchedule, disableUndeclared, saveSchedule } from "./save-schedules.ts";
import { ScheduleRuns } from "./schedule-runs.ts";
import {
  changed,
  type StoredSchedule,
  toDueSchedule,
  toListedSchedule,
  toSchedule,
} from "./stored-schedule.ts";

/** Keeps schedules in this process, and writes their messages to a transport in memory. */
export class InMemoryScheduleStore implements ScheduleStore {
  readonly #transport: InMemoryTransport;
  readonly #now: () => number;
  readonly #rows = new Map<string, StoredSchedule>();
  readonly #runs = new ScheduleRuns();
  readonly #runner: ScheduleRunner;
  #fingerprint: string | null = null;
  #lastId = 0;

  /** @param options.now the clock, in ms since 1970, which should be the transport's too */
  constructor(options: { readonly transport: InMemoryTransport; readonly now: () => number }) {
    this.#transport = options.transport;
    this.#now = options.now;
    this.#runner = new ScheduleRunner({ ...options, rows: this.#rows, runs: this.#runs });
    this.#transport.onFinished(({ id }, reason) =>
      this.#runs.finish(id, {
        outcome: reason === null ? "handled" : "failed",
        reason,
        finishedAt: this.#now(),
      })
    );
  }

  now(): Promise<number> {
    return Promise.resolve(this.#now());
  }

  claim(request: ScheduleClaimRequest): Promise<ScheduleClaim> {
    const { leased, ...claim } = claimSchedules([...this.#rows.values()], request, this.#now());
    for (const row of leased) this.#rows.set(row.id, row);
    const { fingerprint } = request;
    return Promise.resolve({
      ...claim,
      schedules: leased.map((row) => toDueSchedule(row, request.payloads)),
      declarationsChanged: fingerprint !== null && fingerprint !== this.#fingerprint,
    });
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async advance(token: string, advances: readonly Advance[]): Promise<AdvanceResult> {
    return this.#runner.advance(token, advances);
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async save(
    drafts: readonly ScheduleDraft[],
    { limits = [], quota }: SaveLimits = {},
  ): Promise<SavedSchedule[]> {
    return this.#atomically(() => {
      if (quota) {
        for (const { id } of checkQuota([...this.#rows.values()], quota, drafts.length)) {
          this.#remove(id);
        }
      }
      this.#transport.count(limits);
      return this.#save(drafts, false);
    });
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async change(change: ScheduleChange): Promise<void> {
    changeSchedule(this.#table, change, this.#now());
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async sync(
    drafts: readonly ScheduleDraft[],
    fingerprint: string,
    dryRun: boolean,
  ): Promise<SavedSchedule[]> {
    return this.#atomically((takeBack) => {
      const saved = this.#save(drafts, true);
      const names = drafts.map(({ definition: { name } }) => name);
      const gone = disableUndeclared(this.#table, names, this.#now());
      if (dryRun) takeBack();
      else this.#fingerprint = fingerprint;
      return [...saved, ...gone];
    });
  }

  list(filter: ScheduleFilter): Promise<ListedSchedule[]> {
    const { ids, name, messageType, enabled, after = "0", limit = 100 } = filter;
    const found = this.#sorted.filter((row) =>
      (ids === undefined || ids.includes(row.id)) &&
      (name === undefined || row.definition.name === name) &&
      (messageType === undefined || row.message.type === messageType) &&
      (enabled === undefined || row.enabled === enabled) &&
      Number(row.id) > Number(after)
    );
    return Promise.resolve(found.slice(0, limit).map(toListedSchedule));
  }

  show(id: string): Promise<{ schedule: DueSchedule | null; now: number }> {
    const row = this.#rows.get(id);
    return Promise.resolve({ schedule: row ? toDueSchedule(row, true) : null, now: this.#now() });
  }

  listOfUser(userId: string, after: string, limit: number): Promise<SchedulePage> {
    const found = this.#sorted.filter((row) =>
      isOfUser(row, userId) && Number(row.id) > Number(after)
    );
    const page = found.slice(0, limit);
    return Promise.resolve({
      schedules: page.map((row) => ({
        ...toSchedule(row),
        ...{ queue: null, priority: null, groupKey: null },
      })),
      next: page.length === limit ? page.at(-1)?.id ?? null : null,
    });
  }

  runs(id: string, limit: number, before?: Date): Promise<ScheduleRun[]> {
    return Promise.resolve(this.#runs.latest(id, limit, before));
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async pause(id: string, reason: string | null): Promise<void> {
    const changes = { enabled: false, disabledBy: "pause", disabledReason: reason } as const;
    this.#rows.set(id, changed(this.#require(id), changes, this.#now()));
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async resume(id: string): Promise<void> {
    this.#rows.set(id, changed(this.#require(id), { enabled: true }, this.#now()));
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async trigger(
    { id }: Pick<Schedule, "id">,
    counted: boolean,
    message: OutgoingMessage | null,
  ): Promise<string> {
    return this.#runner.trigger(this.#require(id), counted, message);
  }

  remove(id: string, userId: string | undefined): Promise<boolean> {
    const row = this.#rows.get(id);
    const isMeant = row !== undefined && (userId === undefined || isOfUser(row, userId));
    if (isMeant) this.#remove(id);
    return Promise.resolve(isMeant);
  }

  get #sorted(): StoredSchedule[] {
    return [...this.#rows.values()].toSorted((a, b) => Number(a.id) - Number(b.id));
  }

  get #table() {
    return { rows: this.#rows, nextId: () => String(++this.#lastId) };
  }

  #save(drafts: readonly ScheduleDraft[], declared: boolean): SavedSchedule[] {
    return drafts.map((draft) => saveSchedule(this.#table, draft, declared, this.#now()));
  }

  #require(id: string): StoredSchedule {
    const row = this.#rows.get(id);
    if (!row) throw new NotFoundError(`id: there is no schedule ${id}`);
    return row;
  }

  #remove(id: string): void {
    this.#rows.delete(id);
    this.#runs.remove(id);
  }

  /** Runs a change of the schedules all or nothing. */
  #atomically<Result>(change: (takeBack: () => void) => Result): Result {
    const before = new Map(this.#rows);
    const takeBack = () => {
      this.#rows.clear();
      for (const [id, row] of before) this.#rows.set(id, row);
    };
    try {
      return change(takeBack);
    } catch (error) {
      takeBack();
      throw error;
    }
  }
}
