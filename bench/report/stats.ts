/** Medians and percentiles. */

/** The median; NaN of nothing. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** A percentile by linear interpolation between the two nearest values; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * percent / 100;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}
