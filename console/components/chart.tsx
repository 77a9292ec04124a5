/** Charts over time, drawn by uPlot on a canvas, with their numbers as a table for those who do not see it. */

import type { JSX, RefObject } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { onColours } from "../shell/theme.ts";
import { useOutdated } from "./outdated.ts";
import { formatExact } from "./relative-time.ts";

/** One line of a chart. */
export interface Series {
  readonly label: string;
  /** A token of styles/tokens.css, such as `--ok`. */
  readonly colour: string;
  /** A value for each moment; null: there is none. */
  readonly values: readonly (number | null)[];
  /** Drawn as an area; default false. */
  readonly isFilled?: boolean;
  /** Drawn with dashes, so that it differs by more than its colour. */
  readonly isDashed?: boolean;
}

/** Properties of a chart. */
export interface ChartProps {
  readonly title: string;
  /** Moments in ms since 1970, ascending. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  /** A value as text, at the axis and in the legend. */
  readonly format: (value: number) => string;
  /** Said in place of a chart without any value. */
  readonly empty?: string;
}

const HEIGHT = 150;
/** Rows of the table for screen readers. */
const TABLE_ROWS = 24;

/** Shows a chart in the width that there is; its legend has the values under the pointer, or the latest. */
export function Chart({ title, times, series, format, empty }: ChartProps): JSX.Element {
  const [at, setAt] = useState<number | null>(null);
  const titleId = useId();
  const isOutdated = useOutdated();
  const hasValues = series.some(({ values }) => values.some((value) => value !== null));
  const shape = series.map(({ label, colour, isFilled, isDashed }) =>
    [label, colour, isFilled, isDashed].join()
  ).join("|");
  const data = useMemo(() => dataOf(times, series), [times, series]);
  const frame = usePlot({ shape, hasValues, series, format, data, onMove: setAt });
  const index = at !== null && at < times.length ? at : times.length - 1;
  return (
    <figure class="chart" aria-labelledby={titleId} aria-busy={isOutdated}>
      <figcaption class="chart-caption">
        <span class="chart-title" id={titleId}>{title}</span>
        <Legend series={series} index={index} format={format} />
      </figcaption>
      {hasValues
        ? <div class="chart-frame" ref={frame} aria-hidden="true" />
        : <div class="chart-empty muted">{empty ?? "No values yet."}</div>}
      {hasValues && <Numbers title={title} times={times} series={series} format={format} />}
    </figure>
  );
}

interface PlotParts extends Pick<ChartProps, "series" | "format"> {
  /** Tells labels and looks of the lines: another shape is drawn from the beginning. */
  readonly shape: string;
  readonly hasValues: boolean;
  readonly data: uPlot.AlignedData;
  /** Told the moment under the pointer. */
  readonly onMove: (index: number | null) => void;
}

/** Draws into the element of the returned reference. */
function usePlot(parts: PlotParts): RefObject<HTMLDivElement | null> {
  const { shape, hasValues, series, format, data, onMove } = parts;
  const frame = useRef<HTMLDivElement>(null);
  const newest = useRef(data);
  newest.current = data;
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (!element || !hasValues) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(element, series, format, onMove),
        // Colours change long after the first data came.
        newest.current,
        element,
      );
    };
    draw();
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT })
    );
    resize.observe(element);
    const offColours = onColours(draw);
    return () => {
      resize.disconnect();
      offColours();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, hasValues]);
  useEffect(() => plot.current?.setData(data), [data]);
  return frame;
}

function dataOf(times: readonly number[], series: readonly Series[]): uPlot.AlignedData {
  return [
    times.map((time) => time / 1_000),
    ...series.map(({ values }) => [...values]),
  ];
}

function Legend(
  { series, index, format }: Pick<ChartProps, "series" | "format"> & { readonly index: number },
): JSX.Element {
  return (
    <ul class="legend">
      {series.map(({ label, colour, values, isDashed }) => {
        const value = values[index];
        return (
          <li key={label}>
            <svg class={`legend-mark colour${colour}`} viewBox="0 0 14 4" aria-hidden="true">
              <path d={isDashed ? "M0 2h4M5.5 2h4M11 2h3" : "M0 2h14"} />
            </svg>
            {label} <b>{value === null || value === undefined ? "–" : format(value)}</b>
          </li>
        );
      })}
    </ul>
  );
}

/** The latest values, for screen readers. */
function Numbers(
  { title, times, series, format }: Pick<ChartProps, "title" | "times" | "series" | "format">,
): JSX.Element {
  const first = Math.max(0, times.length - TABLE_ROWS);
  return (
    // A table takes no width smaller than its texts, and would widen the page.
    <div class="sr-only">
      <table>
        <caption>{title}, the latest values</caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ label }) => <th key={label} scope="col">{label}</th>)}
          </tr>
        </thead>
        <tbody>
          {times.slice(first).map((time, offset) => (
            <tr key={time}>
              <th scope="row">{formatExact(time)}</th>
              {series.map(({ label, values }) => {
                const value = values[first + offset];
                return (
                  <td key={label}>{value === null || value === undefined ? "–" : format(value)}</td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A moment at the axis, in the operator's zone: the time of the day, or the day where the range is longer. */
function formatTick(seconds: number, { scales }: uPlot): string {
  const span = (scales["x"]?.max ?? 0) - (scales["x"]?.min ?? 0);
  const date = new Date(seconds * 1_000);
  return span > 2 * 86_400
    ? date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })
    : date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Values between two moments without one: a line would not show them. */
function loneValues({ data }: uPlot, seriesIndex: number): number[] {
  const values = data[seriesIndex] ?? [];
  const has = (index: number) => values[index] !== null && values[index] !== undefined;
  return Array.from(values.keys()).filter((index) =>
    has(index) && !has(index - 1) && !has(index + 1)
  );
}

/** Room of the labels at the left, in px: one such as "1 min 40 s" would be cut. */
function roomFor(_: uPlot, labels: string[] | null): number {
  return Math.max(52, ...(labels ?? []).map(({ length }) => 12 + 6 * length));
}

function optionsOf(
  element: HTMLElement,
  series: readonly Series[],
  format: (value: number) => string,
  onMove: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: token("--text-muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: token("--border"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        values: (plot: uPlot, ticks: number[]) => ticks.map((tick) => formatTick(tick, plot)),
      },
      {
        ...axis,
        size: roomFor,
        space: 34,
        values: (_: uPlot, ticks: number[]) => ticks.map((tick) => format(tick)),
      },
    ],
    series: [
      {},
      ...series.map(({ label, colour, isFilled, isDashed }): uPlot.Series => ({
        label,
        stroke: token(colour),
        width: 1.5,
        ...(isDashed && { dash: [4, 3] }),
        ...(isFilled && { fill: `color-mix(in srgb, ${token(colour)} 14%, transparent)` }),
        points: { show: true, size: 3, fill: token(colour), filter: loneValues },
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onMove(cursor.idx ?? null)] },
  };
}
