/**
 * The capacity model: from the rate, the size and the handlers of messages to what a project needs. Each cost is one
 * that the benchmarks measure; the model adds them up, and assumes that they stay what they are in larger machines.
 */

import { COSTS } from "./costs.ts";
import { meanWaitMs } from "./waiting.ts";

/** The messages of a project. */
export interface Load {
  /** Messages a second, on average. */
  readonly rate: number;
  /** Messages a second in the busiest minute. */
  readonly peak: number;
  /** Size of a payload, in bytes. */
  readonly payloadBytes: number;
  /** Messages that are dispatched in one call. */
  readonly batch: number;
  /** How they are dispatched: in SQL, or by the function over HTTPS. */
  readonly via: "sql" | "https";
  /** Time of a handler, in ms, and how much of it is CPU of the function's. */
  readonly handlerMs: number;
  readonly handlerCpuMs: number;
  /** Attempts a message beyond the first. */
  readonly retries: number;
  /** Durable steps a message. */
  readonly steps: number;
}

/** The settings of a project that its capacity depends on; docs/configuration.md has them. */
export interface Settings {
  /** Handlers that a tick runs at once. */
  readonly concurrency: number;
  /** Time in which a tick starts messages, its CPU time, in ms, and its most messages. */
  readonly tickBudgetMs: number;
  readonly tickCpuMs: number;
  readonly tickMaxMessages: number;
}

/** The needs of a project. */
export interface Capacity {
  /** Cores of the database that are busy with messages, on average and at the peak. */
  readonly averageCores: number;
  readonly peakCores: number;
  /** Cores to have: the peak is half of them, because the project's own queries need the other half. */
  readonly cores: number;
  /** WAL of the messages, in bytes a second at the peak, and in GB a day. */
  readonly walBytesPerSecond: number;
  readonly walGbPerDay: number;
  /** Handlers that run at once at the peak, and ticks for them at 70 % of their slots. */
  readonly busyHandlers: number;
  readonly ticks: number;
  /** Invocations of 30 days: ticks and, over HTTPS, dispatches. */
  readonly tickInvocations: number;
  readonly dispatchInvocations: number;
  /** Connections of the Data API that are busy at the peak. */
  readonly connections: number;
  /** From the commit to the handler's start at the peak, in ms: the mean. */
  readonly startMs: number;
  /** After an hour without workers: waiting messages, their GB, and the seconds to catch up at the mean rate. */
  readonly outage: { readonly messages: number; readonly gb: number; readonly catchUpS: number };
}

/** Share of the slots, and of a tick's core, that a plan fills. */
const FILLED = 0.7;
const SECONDS_PER_DAY = 86_400;
const HOURS_PER_MONTH = 720;
const GB = 1e9;
/** Size of a waiting message beside its payload: row and index entries, in bytes. */
const ROW_BYTES = 350;

/** Adds up what a load needs. */
export function capacityOf(load: Load, settings: Settings): Capacity {
  const ticks = ticksFor(load, settings);
  const { peak, rate, handlerMs, payloadBytes } = load;
  const attempts = 1 + load.retries;
  const busyHandlers = peak * attempts * handlerMs / 1000;
  const peakCores = coresOf(load, peak, ticks);
  const walBytes = walOf(load);
  const slots = ticks * settings.concurrency;
  return {
    averageCores: coresOf(load, rate, ticks),
    peakCores,
    cores: Math.max(1, Math.ceil(peakCores * 2)),
    walBytesPerSecond: peak * walBytes,
    walGbPerDay: rate * walBytes * SECONDS_PER_DAY / GB,
    busyHandlers,
    ticks,
    ...invocations(load, settings),
    connections: (roundTrips(load, peak, ticks) + peak / load.batch) * COSTS.callDurationMs / 1000,
    startMs: COSTS.startMs + meanWaitMs(busyHandlers, slots, handlerMs),
    outage: {
      messages: rate * 3600,
      gb: rate * 3600 * (payloadBytes + ROW_BYTES) / GB,
      catchUpS: catchUp(load, slots),
    },
  };
}

/** Ticks that run at once at the peak: enough slots, and enough cores for the handlers' CPU. */
function ticksFor({ peak, retries, handlerMs, handlerCpuMs }: Load, { concurrency }: Settings) {
  const perSecond = peak * (1 + retries);
  const bySlots = perSecond * handlerMs / 1000 / FILLED / concurrency;
  const byCpu = perSecond * (COSTS.workerMs + handlerCpuMs) / 1000 / FILLED;
  return Math.max(1, Math.ceil(bySlots), Math.ceil(byCpu));
}

/** Round trips of the ticks a second. More messages make them larger, not more. */
function roundTrips({ retries, handlerMs }: Load, rate: number, ticks: number): number {
  const pauseMs = Math.min(Math.max(handlerMs, COSTS.leastPauseMs), COSTS.mostPauseMs);
  return Math.min(rate * (1 + retries) * COSTS.roundTripsPerMessage, ticks * 1000 / pauseMs);
}

/** Busy cores of the database. */
function coresOf(load: Load, rate: number, ticks: number): number {
  const { batch, retries, steps, payloadBytes } = load;
  const payloadKb = Math.max(0, payloadBytes - 100) / 1000;
  const messageMs = COSTS.writeMs + COSTS.writeCallMs / batch + (1 + retries) * COSTS.handleMs +
    steps * COSTS.stepMs + payloadKb * COSTS.payloadMsPerKb;
  return (rate * messageMs + roundTrips(load, rate, ticks) * COSTS.roundTripMs) / 1000;
}

/** WAL of a message, in bytes. */
function walOf({ batch, retries, payloadBytes }: Load): number {
  const base = COSTS.walBytes + (COSTS.walBytesAlone - COSTS.walBytes) / batch;
  return base * (1 + retries) + payloadBytes * COSTS.walPerByte;
}

/** Invocations of 30 days. A tick ends at its first limit; without work, pg_cron asks for one a minute. */
function invocations(load: Load, settings: Settings) {
  const { rate, retries, handlerCpuMs, handlerMs, via, batch } = load;
  const { concurrency, tickBudgetMs, tickCpuMs, tickMaxMessages } = settings;
  const cpuMs = COSTS.workerMs + handlerCpuMs;
  const most = Math.min(
    tickMaxMessages,
    tickCpuMs === 0 ? Infinity : Math.max(1, tickCpuMs / cpuMs),
    Math.max(1, tickBudgetMs * concurrency / Math.max(handlerMs, 1)),
  );
  const full = rate * (1 + retries) * 3600 / most;
  const trickle = COSTS.idleInvocations +
    (COSTS.trickleInvocations - COSTS.idleInvocations) * Math.min(1, rate);
  return {
    tickInvocations: Math.max(full, trickle) * HOURS_PER_MONTH,
    dispatchInvocations: via === "https" ? rate / batch * 3600 * HOURS_PER_MONTH : 0,
  };
}

/** Seconds until an hour's backlog is gone, while messages come in at the mean rate. */
function catchUp({ rate, retries, handlerMs }: Load, slots: number): number {
  const perSecond = slots / Math.max(handlerMs, COSTS.callDurationMs) * 1000 / (1 + retries);
  return perSecond > rate ? rate * 3600 / (perSecond - rate) : Infinity;
}
