/** SQL's functions of time series. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { SeriesPoint } from "../message/series-point.ts";
import { ask } from "./ask.ts";
import { callRpc } from "./rpc.ts";

/** Adds points to the time series. @throws the errors of `callRpc` */
export async function recordSeries(
  client: SupabaseClient,
  points: readonly SeriesPoint[],
  timeoutMs: number,
): Promise<void> {
  const rows = points.map(({ latencyMs, runMs, ...point }) => ({
    ...point,
    latency_ms: latencyMs,
    run_ms: runMs,
  }));
  await callRpc(client, "messenger_record_series", { points: rows }, timeoutMs);
}

/** The times, in ms, within which half and 99 % of all lie. */
export interface TimeShares {
  p50: number;
  p99: number;
}

/** Outcomes of messages, and how long they waited and ran; null if none ran. */
export interface MessageRates {
  handled: number;
  retried: number;
  failed: number;
  latencyMs: TimeShares | null;
  runMs: TimeShares | null;
}

/** The backlog: the largest numbers of a bin. */
export interface BacklogPoint {
  due: number;
  delayed: number;
  blocked: number;
  processing: number;
  oldestReadySeconds: number;
}

/** Time series in bins. Moments are ISO 8601. */
export interface TimeSeries {
  from: string;
  until: string;
  stepSeconds: number;
  points: (MessageRates & { at: string; backlog: BacklogPoint | null })[];
}

/** Which time series to read. */
export interface TimeSeriesSelection {
  readonly fromAt?: string | undefined;
  readonly untilAt?: string | undefined;
  readonly stepSeconds?: number | undefined;
  readonly queue?: string | undefined;
  readonly type?: string | undefined;
}

/**
 * Reads time series. A moment that is not given is now, or an hour before `untilAt`.
 * @throws RangeError that names the field which is wrong
 * @throws the errors of `callRpc`
 */
export function readTimeSeries(
  client: SupabaseClient,
  selection: TimeSeriesSelection,
): Promise<TimeSeries> {
  return ask(client, "messenger_time_series", selection);
}

/** Due messages of queues in bins, the oldest first. */
export interface Backlogs {
  from: string;
  stepSeconds: number;
  queues: { name: string; due: number[] }[];
}

/**
 * Reads the backlog of up to 200 queues within the last hour.
 * @throws RangeError that names the field which is wrong
 * @throws the errors of `callRpc`
 */
export function readBacklogs(
  client: SupabaseClient,
  queues: readonly string[],
): Promise<Backlogs> {
  return ask(client, "messenger_backlogs", { queues: [...queues] });
}

/** Totals since the installation of one type. */
export interface TypeTotals {
  readonly type: string;
  readonly handled: number;
  readonly retried: number;
  readonly failed: number;
  /** Histograms: see `Histogram`. */
  readonly latency: readonly number[];
  readonly latencyMs: number;
  readonly runs: readonly number[];
  readonly runMs: number;
}

/** Reads the totals of the types that were counted first, and of the others together. @throws the errors of `callRpc` */
export function readTotals(client: SupabaseClient): Promise<TypeTotals[]> {
  return ask(client, "messenger_totals");
}
