/** A line of a few values beside a number, without axes. */

import type { JSX } from "preact";

/** Properties of a sparkline. */
export interface SparklineProps {
  /** Says its subject to screen readers. */
  readonly label: string;
  /** Values in order of time; null: there is none. */
  readonly values: readonly (number | null)[];
}

const WIDTH = 80;
const HEIGHT = 20;

/** Shows a sparkline; its height is that of the largest value. */
export function Sparkline({ label, values }: SparklineProps): JSX.Element {
  const largest = Math.max(1, ...values.map((value) => value ?? 0));
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) =>
    `${(index * step).toFixed(1)} ${
      (HEIGHT - 1.5 - (value ?? 0) / largest * (HEIGHT - 3)).toFixed(1)
    }`
  );
  const line = points.length > 1 ? `M${points.join("L")}` : `M0 ${HEIGHT - 1.5}H${WIDTH}`;
  return (
    <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path class="sparkline-area" d={`${line}V${HEIGHT}H0Z`} />
      <path d={line} />
    </svg>
  );
}
