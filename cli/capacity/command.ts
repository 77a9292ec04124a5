/** `plan`: what a project needs for the messages that it will have. It reaches no project. */

import { type Command, Option } from "commander";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { parseDuration } from "../../supabase/functions/_shared/symphony/runtime/duration.ts";
import { UsageError } from "../errors.ts";
import { addCommand, type Context, number } from "../messenger/context.ts";
import { advice } from "./advice.ts";
import { type Capacity, capacityOf, type Load } from "./model.ts";

interface Flags {
  readonly rate?: number;
  readonly peak?: number;
  readonly payload: number;
  readonly batch: number;
  readonly via: Load["via"];
  readonly handler: string;
  readonly handlerCpu: number;
  readonly retries: number;
  readonly steps: number;
  readonly concurrency?: number;
  readonly price: number;
  readonly included: number;
}

const HELP = `
The costs of a message are those that the benchmarks measure on two cores of a server; docs/scaling.md says what the
model assumes. The settings are those of the SYMPHONY_ variables, or their defaults.`;

const OPTIONS: readonly Option[] = [
  number("--rate <n>", "messages a second, on average"),
  number("--peak <n>", "messages a second in the busiest minute; by default three times the rate"),
  number("--payload <bytes>", "size of a payload").default(1_000),
  number("--batch <n>", "messages that are dispatched in one call").default(1),
  new Option("--via <way>", "how they are dispatched").choices(["sql", "https"]).default("sql"),
  new Option("--handler <duration>", "time of a handler, such as 200ms").default("100ms"),
  number("--handler-cpu <ms>", "how much of it is CPU, in ms").default(2),
  number("--retries <n>", "attempts a message beyond the first").default(0.02),
  number("--steps <n>", "durable steps a message").default(0),
  number("--concurrency <n>", "handlers that a tick runs at once"),
  number("--price <amount>", "price of a million invocations").default(2),
  number("--included <n>", "invocations of a month without a price").default(2_000_000),
];

/** Adds `plan`. */
export function addPlan(program: Command, context: Context): void {
  addCommand<Flags>(
    program,
    context,
    "plan",
    "says what a project needs: cores, WAL, ticks, invocations, connections",
    OPTIONS,
    (_, flags) => {
      const load = loadOf(flags);
      const settings = settingsOf(flags, context);
      const capacity = capacityOf(load, settings);
      const invocations = capacity.tickInvocations + capacity.dispatchInvocations;
      const price = Math.max(0, invocations - flags.included) / 1e6 * flags.price;
      const advices = advice(load, capacity, settings);
      context.say({ ...capacity, price, advice: advices }, report(capacity, price, advices));
      return Promise.resolve();
    },
  ).addHelpText("after", HELP);
}

/** @throws UsageError that names the option which is missing or wrong */
function loadOf(flags: Flags): Load {
  const { rate, payload, batch, via, retries, steps, handlerCpu } = flags;
  if (rate === undefined) throw new UsageError("--rate: has to be given");
  const peak = flags.peak ?? rate * 3;
  between("--rate", rate, 0, 10_000_000);
  between("--peak", peak, rate, 100_000_000);
  between("--payload", payload, 0, 10_485_760);
  between("--batch", batch, 1, 100_000);
  between("--handler-cpu", handlerCpu, 0, 3_600_000);
  between("--retries", retries, 0, 1_000);
  between("--steps", steps, 0, 1_000);
  between("--price", flags.price, 0, 1_000_000);
  between("--included", flags.included, 0, 1e12);
  const handlerMs = handlerTime(flags.handler);
  return {
    ...{ rate, peak, payloadBytes: payload, batch, via, handlerMs, retries, steps },
    handlerCpuMs: Math.min(handlerCpu, handlerMs),
  };
}

function handlerTime(value: string): number {
  try {
    return parseDuration(/^\d+$/.test(value) ? Number(value) : value, "--handler");
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function settingsOf({ concurrency }: Flags, { io }: Context) {
  const config = readConfig(io.variable);
  if (concurrency !== undefined) between("--concurrency", concurrency, 1, 1_000);
  return {
    concurrency: concurrency ?? config.workerConcurrency,
    tickBudgetMs: config.tickBudgetMs,
    tickCpuMs: config.tickCpuMs,
    tickMaxMessages: config.tickMaxMessages,
  };
}

function between(option: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new UsageError(`${option}: has to be from ${least} to ${most}; got ${value}`);
}

/** The plan as people read it. */
function report(capacity: Capacity, price: number, advices: readonly string[]): string {
  const { averageCores, peakCores, cores, outage } = capacity;
  const rows: readonly [string, string][] = [
    [
      "database",
      `${cores} ${cores === 1 ? "core" : "cores"} (busy with messages: ${
        show(averageCores)
      } on average, ${show(peakCores)} at the peak)`,
    ],
    [
      "WAL",
      `${show(capacity.walBytesPerSecond / 1e6)} MB/s at the peak, ${
        show(capacity.walGbPerDay)
      } GB a day`,
    ],
    ["handlers at once", show(capacity.busyHandlers)],
    ["ticks at once", show(capacity.ticks)],
    [
      "invocations",
      `${show(capacity.tickInvocations / 1e6)} million ticks and ${
        show(capacity.dispatchInvocations / 1e6)
      } million dispatches in 30 days: ${show(price)}`,
    ],
    ["connections", `${show(capacity.connections)} of the Data API, busy at the peak`],
    ["start", `${show(capacity.startMs)} ms after the commit, on average at the peak`],
    [
      "an hour without workers",
      `${show(outage.messages)} messages, ${show(outage.gb)} GB; caught up in ${
        show(outage.catchUpS)
      } s`,
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}   ${value}`);
  return [...lines, ...advices.map((text) => `\n- ${text}`)].join("\n");
}

/** Three significant digits, or a whole number from 100 on. */
function show(value: number): string {
  if (!Number.isFinite(value)) return "never";
  return value >= 100
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}
