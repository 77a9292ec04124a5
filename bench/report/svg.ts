/** Bar and line charts as SVG, readable on light and on dark pages. */

import { figure } from "./markdown.ts";

/** A bar with its spread. */
export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly smallest: number;
  readonly largest: number;
}

/** A curve. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const WIDTH = 720;
const COLORS = ["#3b82f6", "#f59e0b", "#10b981", "#ef4444", "#8b5cf6", "#64748b"];
const STYLE = `<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.axis { stroke: #8c959f; stroke-width: 1; fill: none }
.grid { stroke: #8c959f; stroke-opacity: .25 }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>`;

/** Horizontal bars from zero, each with a whisker from its smallest to its largest run. */
export function barChart(title: string, unit: string, bars: readonly Bar[]): string {
  const longest = Math.max(...bars.map(({ name }) => name.length));
  const [left, top, step, right] = [Math.max(260, 20 + longest * 7), 44, 32, 90];
  const most = Math.max(...bars.map(({ largest }) => largest)) || 1;
  const x = (value: number) => left + value / most * (WIDTH - left - right);
  const rows = bars.map(({ name, value, smallest, largest }, index) => {
    const y = top + index * step;
    const middle = y + 11;
    return [
      text(left - 10, y + 16, name, "end"),
      `<rect x="${left}" y="${y}" width="${round(x(value) - left)}" height="22" fill="${
        name.startsWith("ours") ? COLORS[0] : COLORS[5]
      }"/>`,
      `<path class="axis" d="M${round(x(smallest))} ${middle}H${round(x(largest))}"/>`,
      text(x(largest) + 8, y + 16, figure(value)),
    ].join("");
  });
  return svg(title, unit, top + bars.length * step + 8, rows);
}

/** Curves over a common range, from zero upwards. */
export function lineChart(
  title: string,
  axes: { readonly x: string; readonly y: string },
  lines: readonly Line[],
): string {
  const [left, top, bottom, right] = [70, 44, 280, 210];
  const points = lines.flatMap((line) => line.points);
  const [mostX, mostY] = [0, 1].map((axis) =>
    Math.max(...points.map((point) => point[axis] ?? 0)) || 1
  );
  const x = (value: number) => round(left + value / (mostX ?? 1) * (WIDTH - left - right));
  const y = (value: number) => round(bottom - value / (mostY ?? 1) * (bottom - top));
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const value = part * (mostY ?? 1);
    return `<path class="grid" d="M${left} ${y(value)}H${WIDTH - right}"/>` +
      text(left - 8, y(value) + 4, figure(value), "end");
  });
  const curves = lines.map(({ name, points }, index) => {
    const color = COLORS[index % COLORS.length];
    const path = points.map(([px, py]) => `${x(px)} ${y(py)}`).join("L");
    return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="2"/>` +
      `<rect x="${WIDTH - right + 16}" y="${
        top + index * 22
      }" width="12" height="12" fill="${color}"/>` +
      text(WIDTH - right + 34, top + index * 22 + 11, name);
  });
  return svg(title, axes.y, bottom + 44, [
    ...grid,
    `<path class="axis" d="M${left} ${top}V${bottom}H${WIDTH - right}"/>`,
    ...curves,
    text(left, bottom + 18, "0", "middle"),
    text(WIDTH - right, bottom + 18, figure(mostX ?? 0), "middle"),
    text((left + WIDTH - right) / 2, bottom + 34, axes.x, "middle"),
  ]);
}

function svg(title: string, unit: string, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" ` +
    `aria-label="${escape(title)}">${STYLE}\n<text class="title" x="12" y="24">${escape(title)}` +
    `<tspan font-weight="400"> (${escape(unit)})</tspan></text>\n${parts.join("\n")}\n</svg>\n`;
}

function text(x: number, y: number, words: string, anchor = "start"): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escape(words)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
