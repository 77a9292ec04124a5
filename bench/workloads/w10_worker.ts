/** W10: the worker's CPU, and its memory over a long drain. */

import { drain, enqueue } from "../harness/drain.ts";
import { every } from "../harness/every.ts";
import { atMost, type Series } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { median } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const LOOK_EVERY_MS = 250;

/** CPU time for 1,000 no-op messages, and resident memory while a million goes by. */
export const w10: Workload = {
  id: "W10",
  title: "CPU and memory of the worker",
  async run({ options: { runs, sizes }, systems: { ours } }) {
    const figures = new Samples();
    await using writer = await ours.agent();
    const fill = async (count: number) => {
      await ours.clear();
      await enqueue(writer, count);
      await ours.settle();
    };
    for (let run = 0; run < runs; run++) {
      await fill(sizes.messages);
      // A fresh process each time, as a function's is; its first messages are the dearest.
      await using worker = await ours.agent();
      const { cpuMsPer1000 } = await drain(ours, [worker], sizes.messages);
      figures.add("CPU, fresh process", "ms per 1,000", cpuMsPer1000);
    }

    await fill(sizes.longDrain);
    await using worker = await ours.agent();
    const memory: number[] = [];
    const look = async () => {
      const { rss } = await worker.call<{ rss: number }>("memory");
      memory.push(rss / 1e6);
    };
    await look();
    using _looking = every(LOOK_EVERY_MS, look);
    const { cpuMsPer1000, seconds } = await drain(ours, [worker], sizes.longDrain);
    await look();
    await ours.clear();
    figures.add("CPU, long drain", "ms per 1,000", cpuMsPer1000);
    figures.add("long drain", "s", seconds);
    const quarter = Math.ceil(memory.length / 4);
    const [early, late] = [memory.slice(quarter, 2 * quarter), memory.slice(-quarter)];
    figures.add("memory, second quarter", "MB", median(early));
    figures.add("memory, last quarter", "MB", median(late));
    const step = sizes.longDrain / memory.length;
    const series: Series = {
      plot: "memory",
      name: "resident",
      points: memory.map((mb, index) => [Math.round((index + 1) * step), mb]),
    };
    return {
      measurements: figures.measurements,
      goals: [
        atMost("CPU, ms per 1,000", figures.figure("CPU, fresh process"), 100),
        atMost("memory, last quarter : second", median(late) / median(early), 1.2),
      ],
      series: [series],
      notes: [
        `The long drain is of ${sizes.longDrain} messages. The CPU time is that of all threads of ` +
        "the worker's process, garbage collection included; W2 shows the peers'.",
      ],
    };
  },
};
