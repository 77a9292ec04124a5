/** Ticks that are woken, and what they have handled. */

import type postgres from "postgres";
import { type Effect, eventually, type TestStack } from "./stack.ts";

/** All ticks, in order. */
export const ticks = (stack: TestStack): Promise<postgres.Row[]> =>
  stack.sql`select * from public.messenger_ticks order by id`.then((rows) => [...rows]);

/** Waits until handlers have run `number` times, for 40 s at most. */
export const handled = (stack: TestStack, number: number): Promise<Effect[]> =>
  eventually(() => stack.effects(), (effects) => effects.length >= number, 40_000);

/** Waits until no tick works, and returns all of them. */
export const atRest = (stack: TestStack): Promise<postgres.Row[]> =>
  eventually(() => ticks(stack), (rows) => rows.every(({ ended_at }) => ended_at !== null));
