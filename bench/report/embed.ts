/** Puts the figures that a page of the docs rests on between its two marks. */

import { figure, table } from "./markdown.ts";
import type { StoredResult } from "./result.ts";
import { median } from "./stats.ts";

const FIGURES_AT = [
  "<!-- Figures: written by `deno task bench`. -->",
  "<!-- End of the figures. -->",
] as const;
const BROKER_AT = [
  "<!-- RabbitMQ: written by `deno task bench`. -->",
  "<!-- End of RabbitMQ. -->",
] as const;

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

/** Columns of the table of RabbitMQ beside Postgres, by what W20's measurements are called behind the consumers. */
const BROKER_COLUMNS: readonly (readonly [head: string, of: string, what: string])[] = [
  ["Postgres, messages/s", "Postgres", ""],
  ["RabbitMQ, messages/s", "RabbitMQ", ""],
  ["start, ms", "Postgres", ": start"],
  ["start through RabbitMQ, ms", "RabbitMQ", ": start"],
  ["CPU, ms per 1,000", "Postgres", ": CPU"],
  ["CPU through RabbitMQ", "RabbitMQ", ": CPU"],
  ["of it RabbitMQ's own", "RabbitMQ", ": CPU of RabbitMQ"],
];

/** The page with its figures replaced by those of the results; the same page where it has no marks. */
export function withFigures(page: string, results: readonly StoredResult[]): string {
  const rows = FIGURES.flatMap(({ id, name, means }) => {
    const found = valuesOf(results, id, name);
    return found ? [[means, figure(median(found.values)), found.unit, id]] : [];
  });
  const figures = table(["", "median", "unit", "workload"], rows);
  return between(between(page, FIGURES_AT, figures), BROKER_AT, brokerTable(results));
}

/** Throughput, start and CPU by the number of consumers. */
function brokerTable(results: readonly StoredResult[]): string {
  const rows = [1, 2, 3, 4].map((number) => [
    `${number}`,
    ...BROKER_COLUMNS.map(([, of, what]) => {
      const name = `${of}, ${number} consumer${number === 1 ? "" : "s"}${what}`;
      const found = valuesOf(results, "W20", name);
      return found ? figure(median(found.values)) : "";
    }),
  ]);
  return table(["consumers", ...BROKER_COLUMNS.map(([head]) => head)], rows);
}

function valuesOf(results: readonly StoredResult[], id: string, name: string) {
  return results.find((result) => result.id === id)?.measurements
    ?.find((measurement) => measurement.name === name);
}

function between(page: string, [begin, end]: readonly [string, string], text: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) return page;
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}
