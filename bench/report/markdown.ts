/** The results as Markdown. */

import { type Goal, type Measurement, type StoredResult, verdict } from "./result.ts";
import { median } from "./stats.ts";

/** One page: the goals of all workloads first, then each workload's figures. */
export function tables(results: readonly StoredResult[]): string {
  return [
    "# Results",
    "Written by `npx -y deno@2 task bench`; [the methodology](../README.md) says what is measured. " +
    "The JSON files beside this page hold every run.",
    ...machines(results),
    "## Goals",
    "A value is a median; a ratio is the median of the ratios of paired rounds. Beside it stand the " +
    "smallest and the largest value and, in brackets, their number. Where the limit lies between these " +
    "two, the verdict is within the spread: another run may say the opposite.",
    table(
      ["workload", "figure", "value", "spread", "goal", ""],
      results.flatMap((result) => goalRows(result)),
    ),
    ...results.flatMap(section),
  ].join("\n\n") + "\n";
}

/** Results of different machines may stand side by side after a run of some workloads. */
function machines(results: readonly StoredResult[]): string[] {
  const described = results.map(({ machine, quick, finishedAt }) =>
    `${machine.cpu}, ${machine.cores} cores; Postgres ${machine.postgres} from ` +
    `${machine.postgresFrom}; Deno ${machine.deno}; ${finishedAt.slice(0, 10)}` +
    (quick ? "; a quick run, whose figures mean nothing" : "")
  );
  return [...new Set(described)];
}

function goalRows({ id, goals = [], error }: StoredResult): string[][] {
  if (error !== undefined) return [[id, "broke", "", "", "", "see below"]];
  return goals.map((goal) => [
    id,
    goal.text,
    figure(goal.value),
    spread(goal),
    limit(goal),
    verdict(goal),
  ]);
}

function section({ id, title, measurements = [], notes = [], error, tookS }: StoredResult) {
  return [
    `## ${id}: ${title}`,
    ...(error === undefined ? [] : [`It broke after ${tookS} s:\n\n    ${error}`]),
    ...(measurements.length === 0
      ? []
      : [table(["", "median", "smallest", "largest", "unit", "runs"], measurements.map(row))]),
    ...notes,
  ];
}

function row({ name, unit, values }: Measurement): string[] {
  return [
    name,
    ...[median(values), Math.min(...values), Math.max(...values)].map(figure),
    unit,
    String(values.length),
  ];
}

function limit({ limit, atLeast }: Goal): string {
  return `${atLeast ? "≥" : "≤"} ${figure(limit)}`;
}

/** The smallest and the largest of a goal's values and their number; empty where there is one only. */
export function spread({ values = [] }: Goal): string {
  if (values.length < 2) return "";
  const [smallest, largest] = [Math.min(...values), Math.max(...values)];
  return `${figure(smallest)} to ${figure(largest)} (${values.length})`;
}

/** Three digits, and a comma for thousands. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "none";
  const rounded = Number(value.toPrecision(3));
  const digits = String(rounded);
  return Math.abs(rounded) < 1000 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A table whose columns line up. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? cell.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
