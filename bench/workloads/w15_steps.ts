/** W15: durable steps a second, beside DBOS. */

import type { StepsDone } from "../agents/steps.ts";
import { type Agent, startAgent } from "../harness/agent.ts";
import { turns } from "../harness/turns.ts";
import { atLeast } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

const SUBJECTS = ["ours", "DBOS"] as const;
const STEPS = 10;

/** Messages of ten steps: ours through the Data API, DBOS's workflows over direct connections, one Postgres. */
export const w15: Workload = {
  id: "W15",
  title: "Durable steps",
  async run({ options: { runs, sizes }, stack, systems: { ours }, urlOf }) {
    const key = await stack.mintUserJwt({ role: "service_role", expiresInS: 24 * 3600 });
    await using mine = await startAgent("durable", { url: stack.postgrestUrl, key });
    await using peer = await startAgent("dbos", { url: urlOf("dbos") });
    const agents = { ours: mine, DBOS: peer };
    const { messages, atOnce } = sizes.durable;
    const figures = new Samples();
    // Once unmeasured, so that neither compiles its code while it is measured.
    for (const name of SUBJECTS) await runOnce(name, agents[name], atOnce, atOnce);
    for (let run = 0; run < runs; run++) {
      for (const name of turns(SUBJECTS, run)) {
        await ours.clear();
        const { tookMs, cpuMs } = await runOnce(name, agents[name], messages, atOnce);
        figures.add(name, "steps/s", messages * STEPS * 1_000 / tookMs);
        figures.add(`${name}: CPU`, "ms per 1,000 steps", cpuMs / (messages * STEPS) * 1_000);
      }
    }
    const [left] = await ours.sql<[{ n: number }]>`
      select count(*)::integer as n from public.messenger_steps`;
    if (left.n > 0) throw new Error(`${left.n} steps of handled messages are left`);
    return {
      measurements: figures.measurements,
      goals: [atLeast("ours : DBOS, steps/s", figures.ratio("ours", "DBOS"), 2)],
      notes: [
        `${messages} messages of ${STEPS} steps, ${atOnce} at once, from the first dispatch to the last end. ` +
        "Ours goes through PostgREST; DBOS connects to the same Postgres directly.",
      ],
    };
  },
};

/** @throws Error if a step ran twice, or a message did not succeed */
async function runOnce(
  name: string,
  agent: Agent,
  messages: number,
  atOnce: number,
): Promise<StepsDone> {
  const done = await agent.call<StepsDone>("run", { messages, steps: STEPS, atOnce });
  if (done.finished !== messages || done.steps !== messages * STEPS) {
    throw new Error(`${name}: ${done.finished} of ${messages} ended, with ${done.steps} steps`);
  }
  return done;
}
