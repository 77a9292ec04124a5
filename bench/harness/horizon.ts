/** Sessions that hold the xmin horizon back, as long reports and dumps do. */

import type postgres from "postgres";

/** Runs something while another session keeps an old snapshot. */
export async function whileHeld<Result>(
  sql: postgres.Sql,
  run: () => Promise<Result>,
): Promise<Result> {
  const session = await sql.reserve();
  try {
    await session`begin isolation level repeatable read`;
    await session`select count(*) from pg_class`;
    return await run();
  } finally {
    await session`rollback`;
    session.release();
  }
}

/** Starts readers that overlap, each holding its snapshot for a time and then taking the next. */
export function startReaders(sql: postgres.Sql, number: number, holdMs: number): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const wait = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
  const readers = Promise.all(Array.from({ length: number }, async (_, index) => {
    await wait(index * holdMs / number);
    while (!signal.aborted) await whileHeld(sql, () => wait(holdMs));
  }));
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await readers;
    },
  };
}
