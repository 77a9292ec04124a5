/**
 * Writes what handlers did. Of handlers that run at the same time, one call writes the effects: a drain of
 * thousands of messages would otherwise be mostly the calls of its test.
 */

import type { SupabaseClient } from "@supabase/supabase-js";

/** A row of the table test_effects. */
export interface EffectRow {
  readonly message_id: string;
  readonly type: string;
  readonly attempt: number;
  readonly payload: unknown;
  readonly context?: unknown;
}

const writers = new WeakMap<SupabaseClient, EffectWriter>();

/**
 * Resolves when the row is written, in order: at once, or with others after the call under way.
 * @throws what PostgREST reports of the call that had the row
 */
export function writeEffect(supabase: SupabaseClient, row: EffectRow): Promise<void> {
  const writer = writers.get(supabase) ?? new EffectWriter(supabase);
  writers.set(supabase, writer);
  return writer.write(row);
}

class EffectWriter {
  /** Those that the next call takes along. */
  #rows: EffectRow[] = [];
  #next: Promise<void> | undefined;
  /** Ends with the call under way, whether that fails or not. */
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(private readonly supabase: SupabaseClient) {}

  write(row: EffectRow): Promise<void> {
    this.#rows.push(row);
    return this.#next ??= this.#call();
  }

  async #call(): Promise<void> {
    await this.#underWay;
    const rows = this.#rows;
    this.#rows = [];
    this.#next = undefined;
    const answer = this.supabase.from("test_effects").insert(rows).then(({ error }) => error);
    this.#underWay = Promise.allSettled([answer]);
    const error = await answer;
    if (error) throw error;
  }
}
