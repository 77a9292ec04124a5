/** W3: the drain of W2 with several worker processes, of handlers that wait and of handlers that do not. */

import type { Variant } from "../agents/queue.ts";
import { BEST, DEFAULTS, drain, enqueue, warmUp } from "../harness/drain.ts";
import { type SystemName, SYSTEMS } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import { atLeast } from "../report/result.ts";
import { figureOf, Samples } from "../report/samples.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

const GOAL = 1.5;
/** From this share on the cores count as full. */
const FULL = 0.95;
const HANDLER_MS = 1;

/** Messages that the processes of a system drain, and the way in which they do it. */
interface Part {
  /** Stands behind the system's name. */
  readonly suffix: string;
  /** Its share of the messages of a run. */
  readonly share: number;
  readonly variants: Readonly<Record<SystemName, Variant>>;
}

const NO_OP: Part = {
  suffix: "",
  share: 1,
  variants: {
    "ours": { ...BEST.ours, fetchers: 1 },
    "graphile-worker": { ...BEST["graphile-worker"], fetchers: 1 },
    "pg-boss": { ...BEST["pg-boss"], fetchers: 1 },
  },
};

/** As many handlers at once in each system; pg-boss fetches and completes for one half meanwhile. */
const WAITING: Part = {
  suffix: `, handlers of ${HANDLER_MS} ms`,
  share: 1 / 5,
  variants: {
    "ours": { ...DEFAULTS, handlerMs: HANDLER_MS },
    "graphile-worker": { ...DEFAULTS, handlerMs: HANDLER_MS },
    "pg-boss": { ...DEFAULTS, fetchers: 2, handlerMs: HANDLER_MS },
  },
};

/** Messages handled and settled a second by one process and by several, in the same minutes. */
export const w03: Workload = {
  id: "W3",
  title: "Drain, several worker processes",
  async run(world) {
    const { options: { runs, sizes }, machine: { cores }, systems } = world;
    await using fleet = await startFleet(world, sizes.workers);
    const rates = new Samples();
    const busy = new Samples();
    const measure = async (name: SystemName, workers: number, part: Part) => {
      const count = Math.ceil(sizes.messages * part.share);
      const [first, ...others] = fleet.agents[name];
      const agents = [first, ...others.slice(0, workers - 1)] as const;
      const variant = part.variants[name];
      await warmUp(systems[name], agents, count, variant);
      await enqueue(first, count);
      await systems[name].settle();
      const { perSecond, busyCores } = await drain(systems[name], agents, count, variant);
      const who = `${name}${part.suffix}, ${workers} ${workers === 1 ? "process" : "processes"}`;
      rates.add(who, "messages/s", perSecond);
      busy.add(`${who}: busy`, "cores", busyCores);
    };
    for (const part of [NO_OP, WAITING]) {
      for (let run = 0; run < runs; run++) {
        for (const name of turns(SYSTEMS, run)) {
          const numbers = name === "ours" ? [1, sizes.workers] : [sizes.workers];
          for (const workers of turns(numbers, run)) await measure(name, workers, part);
        }
      }
    }
    const several = `${sizes.workers} processes`;
    const ratio = ({ suffix }: Part) =>
      rates.ratio(`ours${suffix}, ${several}`, `ours${suffix}, 1 process`);
    const noOp = ratio(NO_OP);
    const share = figureOf(
      busy.figure(`ours, ${several}: busy`).values.map((busyCores) => busyCores / cores),
    );
    return {
      measurements: [...rates.measurements, ...busy.measurements],
      goals: [
        atLeast(`ours${WAITING.suffix}, ${several} : 1`, ratio(WAITING), GOAL),
        noOp.value >= GOAL
          ? atLeast(`ours, no-op, ${several} : 1`, noOp, GOAL)
          : atLeast(`ours, no-op, ${several}: share of the cores busy`, share, FULL),
      ],
      notes: [
        `The goal holds until the cores are full: handlers that wait ${HANDLER_MS} ms leave cores ` +
        `idle and show it. With no-op handlers, ${several} : 1 is ${
          noOp.value.toFixed(2)
        }; where that ` +
        `is below ${GOAL}, the goal is instead that the machine's ${cores} cores are full.`,
        `With handlers of ${HANDLER_MS} ms each process holds 500 messages and runs 10 handlers at ` +
        "once, our settings where none is changed; pg-boss in two loops of 5.",
      ],
    };
  },
};
