/** Puts the figures that a page of the docs rests on between its two marks. */

import { figure, table } from "./markdown.ts";
import type { StoredResult } from "./result.ts";
import { median } from "./stats.ts";

const BEGIN = "<!-- Figures: written by `deno task bench`. -->";
const END = "<!-- End of the figures. -->";

/** Figures that the page on scaling shows, by workload and by the measurement's name there. */
const FIGURES: readonly { id: string; name: string; means: string }[] = [
  { id: "W1", name: "ours", means: "written by 1,000, one client" },
  { id: "W4", name: "dispatch, secret key", means: "dispatched one at a time, 16 clients" },
  { id: "W2", name: "ours", means: "handled by one worker" },
  { id: "W2", name: "ours, default settings (500/10)", means: "the same, settings left alone" },
  { id: "W3", name: "ours, 4 processes", means: "handled by four workers" },
  { id: "W6", name: "ours, held, last round", means: "handled while the horizon is held" },
  { id: "W7", name: "1000000 pending", means: "claim of one, a million waiting (p99)" },
  { id: "W9", name: "by 1000", means: "schedules due at once" },
  { id: "W10", name: "CPU, fresh process", means: "the worker's CPU" },
  { id: "W11", name: "ours, written by 1,000", means: "WAL of a message, in batches" },
  { id: "W11", name: "ours, written one by one", means: "WAL of a message, alone" },
];

/** The page with its figures replaced by those of the results; the same page where it has no marks. */
export function withFigures(page: string, results: readonly StoredResult[]): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) return page;
  const rows = FIGURES.flatMap(({ id, name, means }) => {
    const found = results.find((result) => result.id === id)?.measurements
      ?.find((measurement) => measurement.name === name);
    return found ? [[means, figure(median(found.values)), found.unit, id]] : [];
  });
  const figures = table(["", "median", "unit", "workload"], rows);
  return `${page.slice(0, from)}${BEGIN}\n\n${figures}\n\n${page.slice(to)}`;
}
