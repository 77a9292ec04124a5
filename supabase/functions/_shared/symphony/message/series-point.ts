/** Points of time series: what a worker has counted in one minute, of one queue and type. */

/**
 * A histogram of times: its first number counts those of up to 1 ms, the n-th those of up to 2^(n-1) ms that are longer
 * than the one before allows, the last of {@link BUCKETS} all longer ones. Zeros at its end are left out.
 */
export type Histogram = readonly number[];

/** Most numbers of a histogram. The last but one ends at 2^26 ms, 18 hours. */
export const BUCKETS = 28;

/** A point of a time series. */
export interface SeriesPoint {
  /** Begin of the minute, ISO 8601, by the store's clock. */
  readonly at: string;
  readonly queue: string;
  readonly type: string;
  readonly handled: number;
  readonly retried: number;
  readonly failed: number;
  /** From the moment at which a message is due to the start of its attempt. */
  readonly latency: Histogram;
  /** Sum of these times, in ms. */
  readonly latencyMs: number;
  /** How long attempts ran. */
  readonly runs: Histogram;
  /** Sum of these times, in ms. */
  readonly runMs: number;
}

/** The place of a time in a histogram, from 0. @param ms 0 or more */
export function bucketOf(ms: number): number {
  if (!(ms > 1)) return 0;
  // Larger numbers have no place in 32 bits.
  return ms > 2 ** (BUCKETS - 2) ? BUCKETS - 1 : 32 - Math.clz32(Math.ceil(ms) - 1);
}

/** The longest time of a bucket, in ms. @param bucket its place, from 0 */
export function longestOf(bucket: number): number {
  return bucket >= BUCKETS - 1 ? Infinity : 2 ** bucket;
}
