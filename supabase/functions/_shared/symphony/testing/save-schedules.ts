/** Saving schedules in memory: new ones, those known by name or id, and those declared in code. */

import { ConflictError, NotFoundError } from "../message/errors.ts";
import type { ScheduleChange, ScheduleDraft } from "../scheduler/schedule.ts";
import type { ScheduleChanges } from "../scheduler/schedule-options.ts";
import type { ScheduleDefinition } from "../scheduler/check-schedule.ts";
import type { SavedSchedule } from "../scheduler/store.ts";
import { checkSizes } from "../transport/memory-checks.ts";
import { changed, newSchedule, ownedPart, type StoredSchedule } from "./stored-schedule.ts";

/** The schedules by id, and the ids that are taken. */
export interface ScheduleTable {
  readonly rows: Map<string, StoredSchedule>;
  nextId(): string;
}

/** Which part of a definition holds an option. */
const PARTS = {
  type: "times",
  config: "times",
  timezone: "timezone",
  maxRuns: "maxRuns",
  startAt: "startAt",
  endAt: "endAt",
  catchUp: "catchUp",
  catchUpLimit: "catchUpLimit",
  overlap: "overlap",
  whilePaused: "whilePaused",
  jitter: "jitterMs",
  name: "name",
  queue: "queue",
  priority: "priority",
  groupKey: "groupKey",
  ttl: "ttlMs",
} as const satisfies Record<Exclude<keyof ScheduleChanges, "payload">, keyof ScheduleDefinition>;

/**
 * Makes a schedule, or makes the one of its name what the draft says; the stamps stay unless others are
 * given. If nothing differs, nothing is written or refused.
 * @throws RangeError if the draft has no run left
 */
export function saveSchedule(
  table: ScheduleTable,
  draft: ScheduleDraft,
  declared: boolean,
  now: number,
): SavedSchedule {
  const { definition, message, stamps, first } = draft;
  checkSizes([{ ...message, ...(stamps && { stamps }) }]);
  const known = definition.name === null ? undefined : byName(table, definition.name);
  const owned = {
    definition,
    message: structuredClone(message),
    stamps: stamps ?? known?.stamps,
    declared: declared || (known?.declared ?? false),
  };
  if (known) return write(table, known, owned, first, now);
  refuse(first);
  const row = newSchedule(table.nextId(), owned, now);
  table.rows.set(row.id, planned(row, first, now));
  return { id: row.id, name: definition.name, change: "created" };
}

/**
 * Changes the given options of a schedule.
 * @throws NotFoundError, and ConflictError if another schedule has the new name
 */
export function changeSchedule(table: ScheduleTable, change: ScheduleChange, now: number): void {
  const { id, draft, changed: names } = change;
  const known = table.rows.get(id);
  if (!known) throw new NotFoundError(`id: there is no schedule ${id}`);
  const parts = names.filter((name) => name !== "payload").map((name) => PARTS[name]);
  const given = Object.fromEntries(parts.map((part) => [part, draft.definition[part]]));
  const definition = { ...known.definition, ...given };
  const payload = names.includes("payload") ? draft.message.payload : known.message.payload;
  checkSizes([{ type: known.message.type, payload, stamps: known.stamps ?? {} }]);
  const namesake = definition.name === null ? undefined : byName(table, definition.name);
  if (namesake && namesake.id !== id) {
    throw new ConflictError("name: another schedule has this name");
  }
  // The first run was found with the draft's times. If those are not the schedule's, the next
  // processing plans the run.
  const isAsAssumed = timing(definition) === timing(draft.definition);
  const owned = { ...known, definition, message: { ...known.message, payload } };
  write(table, known, owned, isAsAssumed ? draft.first : null, now);
}

/** Disables declared schedules that have none of these names. */
export function disableUndeclared(
  { rows }: ScheduleTable,
  names: readonly (string | null)[],
  now: number,
): SavedSchedule[] {
  const gone = [...rows.values()].filter(({ declared, enabled, definition: { name } }) =>
    declared && enabled && !names.includes(name)
  );
  for (const row of gone) {
    const disabledReason = "it is no longer declared in code";
    const changes = { enabled: false, disabledBy: "undeclared", disabledReason } as const;
    rows.set(row.id, changed(row, changes, now));
  }
  const saved = gone.map(({ id, definition: { name } }) =>
    ({ id, name, change: "disabled" }) as const
  );
  return saved.toSorted((a, b) => String(a.name) < String(b.name) ? -1 : 1);
}

function write(
  { rows }: ScheduleTable,
  known: StoredSchedule,
  owned: Pick<StoredSchedule, "definition" | "message" | "stamps" | "declared">,
  first: ScheduleDraft["first"],
  now: number,
): SavedSchedule {
  const { definition, message, stamps, declared } = owned;
  const wanted = { ...known, definition, message, stamps, declared };
  const saved = { id: known.id, name: definition.name };
  const isSame = ownedPart(wanted) === ownedPart(known) && declared === known.declared;
  if (isSame && known.disabledBy !== "undeclared") return { ...saved, change: "unchanged" };
  refuse(first);
  // A schedule that has ended may have something to do again; one that was paused stays paused.
  const enabled = known.enabled || known.disabledBy !== "pause";
  const row = changed(known, { definition, message, stamps, declared, enabled }, now);
  rows.set(row.id, planned(row, first, now));
  return { ...saved, change: "changed" };
}

function refuse(first: ScheduleDraft["first"]): void {
  if (typeof first === "object" && first !== null && "refused" in first) {
    throw new RangeError(first.refused);
  }
}

/** A schedule that has no next run yet gets its first one, or ends. */
function planned(row: StoredSchedule, first: ScheduleDraft["first"], now: number): StoredSchedule {
  if (!row.enabled || row.nextRunAt !== null) return row;
  if (typeof first !== "object" || first === null) return { ...row, nextRunAt: first };
  if (!("finished" in first)) return row;
  const end = { enabled: false, disabledBy: "finished", disabledReason: first.finished } as const;
  return changed(row, end, now);
}

function timing({ times, timezone, startAt, endAt }: ScheduleDefinition): string {
  return JSON.stringify([times, timezone, startAt, endAt]);
}

function byName({ rows }: ScheduleTable, name: string): StoredSchedule | undefined {
  return rows.values().find(({ definition }) => definition.name === name);
}
