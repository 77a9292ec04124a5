/** Time series of the API, and the ranges that the charts offer. */

import type { paths } from "./openapi.gen.ts";
import { answerOf, type Api } from "./api-client.ts";
import { toProblem } from "./api-problem.ts";
import { serverNow } from "./server-clock.ts";
import { type Resource, useResource } from "./use-resource.ts";

/** The answer of `GET /time-series`. */
export type TimeSeries =
  paths["/time-series"]["get"]["responses"][200]["content"]["application/json"];

/** One bin of it. */
export type SeriesPoint = TimeSeries["points"][number];

/** A range of the charts. */
export interface Range {
  readonly key: string;
  readonly ms: number;
  /** Length of a bin: the charts have 60 to 180 of them. */
  readonly step: string;
}

const HOUR_MS = 3_600_000;

/** The ranges; the database keeps minutes for a day and hours for 30 days. */
export const RANGES: readonly [Range, ...Range[]] = [
  { key: "1h", ms: HOUR_MS, step: "1m" },
  { key: "6h", ms: 6 * HOUR_MS, step: "5m" },
  { key: "24h", ms: 24 * HOUR_MS, step: "15m" },
  { key: "7d", ms: 7 * 24 * HOUR_MS, step: "1h" },
  { key: "30d", ms: 30 * 24 * HOUR_MS, step: "6h" },
];

const EVERY_MS = 15_000;

/** The range of a key; the first one for any other text. */
export function rangeOf(key: string | null): Range {
  return RANGES.find((range) => range.key === key) ?? RANGES[0];
}

/** Reads the series of a range, of one queue or one type if they are given; null: the functions are of a release without series. */
export function useTimeSeries(
  api: Api,
  range: Range,
  filter: { readonly queue?: string; readonly type?: string } = {},
): Resource<TimeSeries | null> {
  return useResource(
    `series ${range.key} ${JSON.stringify(filter)}`,
    (signal) => readTimeSeries(api, range, filter, signal),
    { everyMs: EVERY_MS, keepsData: true },
  );
}

async function readTimeSeries(
  api: Api,
  { ms, step }: Range,
  filter: { readonly queue?: string; readonly type?: string },
  signal: AbortSignal,
): Promise<TimeSeries | null> {
  const from = new Date(serverNow() - ms).toISOString();
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  try {
    const query = { from, step, ...given };
    return await answerOf(api.GET("/time-series", { params: { query }, signal }));
  } catch (error) {
    if (toProblem(error).isNotFound) return null;
    throw error;
  }
}
