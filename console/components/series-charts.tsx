/** The charts of a time series: rates, latency, run time, backlog, the oldest ready message. */

import type { ComponentChildren, JSX } from "preact";
import { useMemo } from "preact/hooks";
import type { SeriesPoint, TimeSeries } from "../api/series-ranges.ts";
import { Chart, type ChartProps } from "./chart.tsx";
import { formatDuration, formatNumber } from "./relative-time.ts";

type Value = (point: SeriesPoint) => number | null | undefined;

const formatRate = (perSecond: number): string =>
  perSecond >= 10 || perSecond === 0
    ? `${formatNumber(perSecond, { isShort: true })}/s`
    : perSecond * 60 >= 1
    ? `${formatNumber(Number((perSecond * 60).toPrecision(3)))}/min`
    : `${formatNumber(Number((perSecond * 3_600).toPrecision(2)))}/h`;
const formatAmount = (value: number): string =>
  formatNumber(value < 1 ? value : Math.round(value), { isShort: true });
const formatSeconds = (seconds: number): string => formatDuration(seconds * 1_000);

/** The charts, without their values. */
type Shape = Omit<ChartProps, "times" | "series"> & {
  readonly lines: readonly (Omit<ChartProps["series"][number], "values"> & {
    readonly value: Value;
  })[];
};

const LATENCY: Shape = {
  title: "Wait from due to start",
  format: formatDuration,
  empty: "No message started in this time.",
  lines: [
    { label: "p50", colour: "--accent", value: ({ latencyMs }) => latencyMs?.p50 },
    { label: "p99", colour: "--warn", isDashed: true, value: ({ latencyMs }) => latencyMs?.p99 },
  ],
};
const SHAPES: readonly Shape[] = [
  {
    title: "Messages",
    format: formatRate,
    lines: [
      {
        label: "handled",
        colour: "--ok",
        isFilled: true,
        value: ({ perSecond }) => perSecond.handled,
      },
      {
        label: "retried",
        colour: "--warn",
        isDashed: true,
        value: ({ perSecond }) => perSecond.retried,
      },
      { label: "failed", colour: "--bad", value: ({ perSecond }) => perSecond.failed },
    ],
  },
  {
    title: "Backlog",
    format: formatAmount,
    empty: "The backlog is counted for queues, not for types.",
    lines: [
      {
        label: "due",
        colour: "--accent",
        isFilled: true,
        value: ({ backlog }) => backlog?.due,
      },
      {
        label: "delayed",
        colour: "--info",
        isDashed: true,
        value: ({ backlog }) => backlog?.delayed,
      },
      { label: "running", colour: "--ok", value: ({ backlog }) => backlog?.processing },
    ],
  },
  LATENCY,
  {
    ...LATENCY,
    title: "Run time",
    lines: [
      { label: "p50", colour: "--accent", value: ({ runMs }) => runMs?.p50 },
      { label: "p99", colour: "--warn", isDashed: true, value: ({ runMs }) => runMs?.p99 },
    ],
  },
  {
    title: "Oldest ready message",
    format: formatSeconds,
    empty: "The backlog is counted for queues, not for types.",
    lines: [
      {
        label: "waits",
        colour: "--accent",
        isFilled: true,
        value: ({ backlog }) => backlog?.oldestReadySeconds,
      },
    ],
  },
];

/** Properties of the charts. */
export interface SeriesChartsProps {
  readonly series: TimeSeries;
  /** A card behind the charts. */
  readonly children?: ComponentChildren;
}

/** Shows the five charts side by side. */
export function SeriesCharts({ series, children }: SeriesChartsProps): JSX.Element {
  const times = useMemo(() => series.points.map(({ at }) => Date.parse(at)), [series]);
  return (
    <div class="charts">
      {SHAPES.map((shape) => (
        <div key={shape.title} class="card">
          <SeriesChart shape={shape} times={times} series={series} />
        </div>
      ))}
      {children}
    </div>
  );
}

/** The room that the charts will take. */
export function SeriesSkeleton(): JSX.Element {
  return (
    <div class="charts" role="status" aria-label="Loading">
      {SHAPES.map(({ title }) => <div key={title} class="card chart-skeleton" />)}
    </div>
  );
}

function SeriesChart(
  { shape: { lines, ...shape }, times, series }: {
    readonly shape: Shape;
    readonly times: readonly number[];
    readonly series: TimeSeries;
  },
): JSX.Element {
  const drawn = useMemo(
    () =>
      lines.map(({ value, ...line }) => ({
        ...line,
        values: series.points.map((point) => value(point) ?? null),
      })),
    [series, lines],
  );
  return <Chart {...shape} times={times} series={drawn} />;
}
