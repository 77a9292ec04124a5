/** Stores schedules in Postgres: each method is one call of an SQL function. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { OutgoingMessage } from "../message/envelope.ts";
import { callRpc } from "./rpc.ts";
import { fromLimit } from "./enqueue.ts";
import {
  fromAdvance,
  fromChange,
  fromDraft,
  type RunRow,
  type ScheduleRow,
  toDueSchedule,
  toListedSchedule,
  toRun,
  toSchedule,
  toText,
  withoutPayload,
} from "./schedule-rows.ts";
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

/** Schedules in Postgres, reached over supabase-js with a secret key. */
export class PostgresScheduleStore implements ScheduleStore {
  constructor(
    private readonly client: SupabaseClient,
    private readonly timeoutMs: number,
  ) {}

  /** The database's clock, in ms since 1970. */
  async now(): Promise<number> {
    return Date.parse(await this.#call<string>("messenger_now", {}));
  }

  async claim(request: ScheduleClaimRequest): Promise<ScheduleClaim> {
    const answer = await this.#call<
      {
        schedules: ScheduleRow[];
        now: string;
        more: boolean;
        next_at: string | null;
        declarations_changed: boolean;
      }
    >("messenger_claim_schedules", {
      token: request.token,
      max_schedules: request.maxSchedules,
      lease_ms: request.leaseMs,
      until: toText(request.until),
      fingerprint: request.fingerprint,
      repeated: request.repeated,
      payloads: request.payloads,
    });
    return {
      schedules: answer.schedules.map(toDueSchedule),
      now: Date.parse(answer.now),
      more: answer.more,
      nextAt: answer.next_at === null ? null : Date.parse(answer.next_at),
      declarationsChanged: answer.declarations_changed,
    };
  }

  advance(token: string, advances: readonly Advance[]): Promise<AdvanceResult> {
    return this.#call("messenger_advance_schedules", {
      token,
      advances: advances.map(fromAdvance),
    });
  }

  async save(
    drafts: readonly ScheduleDraft[],
    { limits = [], quota }: SaveLimits = {},
  ): Promise<SavedSchedule[]> {
    const schedules = drafts.map(fromDraft);
    const saved =
      await (limits.length === 0 && quota === undefined
        ? this.#call<{ schedules: SavedSchedule[] }>("messenger_save_schedules", { schedules })
        : this.#call<{ schedules: SavedSchedule[] }>("messenger_save_schedules_limited", {
          schedules,
          limits: limits.map(fromLimit),
          ...(quota && { user_id: quota.userId, max_schedules: quota.max }),
        }));
    return saved.schedules;
  }

  /** Writes the changed options, and nothing else, in one statement. */
  async change(change: ScheduleChange): Promise<void> {
    await this.#call("messenger_save_schedules", { schedules: [fromChange(change)] });
  }

  async sync(
    drafts: readonly ScheduleDraft[],
    fingerprint: string,
    dryRun: boolean,
  ): Promise<SavedSchedule[]> {
    const { schedules } = await this.#call<{ schedules: SavedSchedule[] }>(
      "messenger_sync_schedules",
      { schedules: drafts.map(fromDraft), fingerprint, dry_run: dryRun },
    );
    return schedules;
  }

  /** Lists schedules without their payloads. */
  async list(filter: ScheduleFilter): Promise<ListedSchedule[]> {
    const { schedules } = await this.#call<{ schedules: ScheduleRow[] }>(
      "messenger_list_schedules",
      {
        ids: filter.ids ?? null,
        name: filter.name ?? null,
        message_type: filter.messageType ?? null,
        enabled: filter.enabled ?? null,
        after_id: filter.after ?? "0",
        max_schedules: filter.limit ?? 100,
      },
    );
    return schedules.map(toListedSchedule);
  }

  /** Returns one schedule with its payload and stamps; null if the id is unknown. */
  async show(
    id: string,
    { exact = false }: { readonly exact?: boolean } = {},
  ): Promise<{ schedule: DueSchedule | null; now: number }> {
    const { schedule, now } = await this.#call<{ schedule: ScheduleRow | null; now: string }>(
      "messenger_show_schedule",
      exact ? { id, exact } : { id },
    );
    return { schedule: schedule && toDueSchedule(schedule), now: Date.parse(now) };
  }

  /** Lists schedules that a user made, without their queue, priority and group. */
  async listOfUser(userId: string, after: string, limit: number): Promise<SchedulePage> {
    const { schedules, next } = await this.#call<{ schedules: ScheduleRow[]; next: string | null }>(
      "messenger_list_user_schedules",
      { user_id: userId, after_id: after, max_schedules: limit },
    );
    return { schedules: schedules.map(toSchedule), next };
  }

  async runs(id: string, limit: number, before?: Date): Promise<ScheduleRun[]> {
    const { runs } = await this.#call<{ runs: RunRow[] }>(
      "messenger_list_schedule_runs",
      { id, max_runs: limit, ...(before && { before }) },
    );
    return runs.map(toRun);
  }

  pause(id: string, reason: string | null): Promise<void> {
    return this.#call("messenger_pause_schedule", { id, reason });
  }

  resume(id: string): Promise<void> {
    return this.#call("messenger_resume_schedule", { id });
  }

  async trigger(
    { id, message: ofSchedule }: Pick<Schedule, "id" | "message">,
    counted: boolean,
    message: OutgoingMessage | null,
  ): Promise<string> {
    const row = message && withoutPayload(message, ofSchedule.payload);
    const args = { id, counted, message: row };
    return String(await this.#call<number>("messenger_trigger_schedule", args));
  }

  remove(id: string, userId: string | undefined): Promise<boolean> {
    return this.#call("messenger_unschedule", { id, user_id: userId });
  }

  #call<Answer>(name: string, args: Record<string, unknown>): Promise<Answer> {
    return callRpc<Answer>(this.client, name, args, this.timeoutMs);
  }
}
