/** The options of a run of the benchmarks, and the sizes of its workloads. */

import { parseArgs } from "node:util";

/** Options of the command line. */
export interface Options {
  /** Tiny sizes: whether it works, not how fast it is. */
  readonly quick: boolean;
  /** Ids of the workloads to run, such as W2; all by default. */
  readonly only: readonly string[] | undefined;
  /** Interleaved runs of each measurement. */
  readonly runs: number;
  /** Where results go. */
  readonly out: string;
  /** Where plots go. */
  readonly plots: string;
  /** The page of the docs that shows figures; absent where the results are not those of the project. */
  readonly page: string | undefined;
  readonly sizes: Sizes;
}

/** How large the workloads are. */
export interface Sizes {
  /** W1, W2, W3: messages of one run. */
  readonly messages: number;
  /** W3: worker processes. */
  readonly workers: number;
  /** W4: requests of one run. */
  readonly requests: number;
  /** W5: samples after idleness, and at each steady rate; and these rates, as ms between two messages. */
  readonly samples: number;
  readonly steady: number;
  readonly rates: readonly number[];
  /** W6: messages of each of the four rounds before the last. */
  readonly round: number;
  /** W7: backlogs in which a claim is measured. */
  readonly backlogs: readonly number[];
  /** W7: rows that are locked, leased or blocked in front. */
  readonly inFront: number;
  /** W7: rows of the future, and dead ones. */
  readonly beside: number;
  /** W7: claims timed in a block; five blocks are timed. */
  readonly claims: number;
  /** W8: how long, in ms, and how long each reader holds its snapshot. */
  readonly soakMs: number;
  readonly readerMs: number;
  /** W9: schedules due at once. */
  readonly schedules: number;
  /** W10: messages of the long drain. */
  readonly longDrain: number;
  /** W11: messages counted by WAL and commits, and how long idleness is watched, in ms. */
  readonly costMessages: number;
  readonly idleMs: number;
  /** W12: numbers of messages, each in a group of its own. */
  readonly groups: readonly number[];
  /** W13: queues, and how many of them hold messages. */
  readonly queues: { readonly all: number; readonly full: number };
  /** W14: fresh processes of each function before it is measured, and after; warm requests of one measurement of CPU. */
  readonly unmeasuredStarts: number;
  readonly starts: number;
  readonly warmRequests: number;
  /** W15: messages of ten steps, and how many of them run at once. */
  readonly durable: { readonly messages: number; readonly atOnce: number };
  /** W16: how long each kind of lateness is watched, in ms, and the intervals of its schedules, in s. */
  readonly latenessMs: number;
  readonly intervals: readonly number[];
  /** W20: starts that are timed in a turn, and pairs of rounds of half of `messages`, with a transport without routes. */
  readonly routed: { readonly starts: number; readonly pairs: number };
  /** W22: endpoints, events to all of them together, and how long a call may take, in ms. */
  readonly webhooks: {
    readonly endpoints: number;
    readonly events: number;
    readonly timeoutMs: number;
  };
}

const FULL: Sizes = {
  messages: 100_000,
  workers: 4,
  requests: 2_000,
  samples: 60,
  steady: 40,
  rates: [300, 500, 1_000, 2_000],
  round: 50_000,
  backlogs: [1_000, 10_000, 100_000, 1_000_000],
  inFront: 100_000,
  beside: 1_000_000,
  claims: 200,
  soakMs: 15 * 60_000,
  readerMs: 120_000,
  schedules: 10_000,
  longDrain: 1_000_000,
  costMessages: 20_000,
  idleMs: 60_000,
  groups: [100_000, 1_000_000],
  queues: { all: 10_000, full: 100 },
  unmeasuredStarts: 2,
  starts: 15,
  warmRequests: 400,
  durable: { messages: 1_000, atOnce: 200 },
  latenessMs: 80_000,
  intervals: [1, 10],
  routed: { starts: 8, pairs: 6 },
  webhooks: { endpoints: 100, events: 10_000, timeoutMs: 15_000 },
};

const QUICK: Sizes = {
  messages: 1_000,
  workers: 2,
  requests: 50,
  samples: 1,
  steady: 2,
  rates: [300, 1_000],
  round: 500,
  backlogs: [100, 1_000],
  inFront: 500,
  beside: 1_000,
  claims: 5,
  soakMs: 3_000,
  readerMs: 1_000,
  schedules: 200,
  longDrain: 2_000,
  costMessages: 1_000,
  idleMs: 1_000,
  groups: [1_000],
  queues: { all: 200, full: 10 },
  unmeasuredStarts: 0,
  starts: 1,
  warmRequests: 20,
  durable: { messages: 40, atOnce: 20 },
  latenessMs: 4_000,
  intervals: [1, 2],
  routed: { starts: 2, pairs: 1 },
  webhooks: { endpoints: 10, events: 100, timeoutMs: 1_000 },
};

/** How it is called. */
export const USAGE = `npx -y deno@2 task bench [options]
  --quick            tiny sizes: whether it works, not how fast it is
  --only W1,W2       these workloads only; the results of the others stay
  --runs N           interleaved runs of each measurement (5; 1 with --quick)
  --w8-minutes N     length of the soak (15)
  --w10-messages N   length of the long drain (1000000)
  --out FOLDER       results (bench/results; .local/bench with --quick)
  --plots FOLDER     plots (docs/plots; .local/bench with --quick)`;

const ROOT = new URL("..", import.meta.url).pathname;

/** Reads the command line. @throws RangeError that names the option which is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      "quick": { type: "boolean", default: false },
      "only": { type: "string" },
      "runs": { type: "string" },
      "w8-minutes": { type: "string" },
      "w10-messages": { type: "string" },
      "out": { type: "string" },
      "plots": { type: "string" },
    },
  });
  const { quick } = values;
  const sizes = quick ? QUICK : FULL;
  const only = values.only?.split(",").map((id) => id.trim().toUpperCase());
  const wrong = only?.find((id) => !/^W([1-9]|1[0-8]|2[0-2])$/.test(id));
  if (wrong !== undefined) throw new RangeError(`only: there is no workload ${wrong}`);
  const scratch = `${ROOT}.local/bench`;
  return {
    quick,
    only,
    runs: positive("runs", values.runs) ?? (quick ? 1 : 5),
    out: values.out ?? (quick ? scratch : `${ROOT}bench/results`),
    page: quick || values.out ? undefined : `${ROOT}docs/scaling.md`,
    plots: values.plots ?? (quick ? scratch : `${ROOT}docs/plots`),
    sizes: {
      ...sizes,
      soakMs: (positive("w8-minutes", values["w8-minutes"]) ?? sizes.soakMs / 60_000) * 60_000,
      longDrain: positive("w10-messages", values["w10-messages"]) ?? sizes.longDrain,
    },
  };
}

function positive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!(number > 0)) throw new RangeError(`${name}: has to be a number above 0; got ${text}`);
  return number;
}
