/** W22: webhooks: how late the events of healthy endpoints arrive beside an endpoint that never responds. */

import { defineWebhook } from "../../supabase/functions/_shared/symphony/index.ts";
import { workInProcess } from "../harness/in_process.ts";
import { turns } from "../harness/turns.ts";
import type { World } from "../harness/world.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const KINDS = ["all answer", "one hangs"] as const;
type Kind = typeof KINDS[number];
const GOAL = 2;
/** Interleaved rounds at most: each takes minutes. */
const MOST_ROUNDS = 3;
/** Time after which a round counts as broken, in ms. */
const LONGEST_MS = 15 * 60_000;

/** Percentiles of the time from the publication's commit to the arrival, at all endpoints but the first. */
export const w22: Workload = {
  id: "W22",
  title: "Webhooks: many endpoints, one of which hangs",
  async run(world) {
    const { options: { runs, sizes: { webhooks } } } = world;
    const times = new Samples();
    for (let round = 0; round < Math.min(runs, MOST_ROUNDS); round++) {
      for (const kind of turns(KINDS, round)) {
        const taken = await arrivals(world, kind);
        for (const percent of [50, 99]) {
          times.add(
            `${kind}: arrival, ${percent}th percentile`,
            "s",
            percentile(taken, percent) / 1_000,
          );
        }
      }
    }
    const p99 = (kind: Kind) => `${kind}: arrival, 99th percentile`;
    return {
      measurements: times.measurements,
      goals: [
        atMost(
          "one hangs : all answer, p99",
          times.ratio(p99("one hangs"), p99("all answer")),
          GOAL,
        ),
      ],
      notes: [
        `${webhooks.events} events at once to ${webhooks.endpoints} endpoints, as many to each; one worker with the ` +
        "default sizes, and the receivers in its process. From the publication's commit to the arrival, at the " +
        `endpoints that respond in both kinds. The one that hangs takes the call, and holds it for the ${
          webhooks.timeoutMs / 1_000
        } s of its timeout; its first event alone is tried again.`,
      ],
    };
  },
};

/** Ms until each event came to an endpoint that responds in both kinds. @throws Error if they do not all come */
async function arrivals(world: World, kind: Kind): Promise<number[]> {
  const { options: { sizes: { webhooks } }, systems: { ours } } = world;
  const expected = webhooks.events - webhooks.events / webhooks.endpoints;
  await clear(world);
  await using receiver = startReceiver(kind, expected);
  await makeEndpoints(world, receiver.url);
  await ours.sql`
    select public.messenger_publish('e' || n % ${webhooks.endpoints}::integer)
    from generate_series(1, ${webhooks.events}::integer) as n`;
  const committedAt = performance.now();
  await ours.settle();
  {
    await using _worker = await workInProcess(world, [
      defineWebhook({ allowPrivate: ["127.0.0.1"], timeout: webhooks.timeoutMs }),
    ]);
    await receiver.complete;
    // Held calls end before the worker, which waits for them.
    receiver.release();
  }
  await clear(world);
  return receiver.arrivedAt().map((at) => at - committedAt);
}

/** Notes when each event first arrived at an endpoint other than the first; the first may hold its calls. */
function startReceiver(kind: Kind, expected: number) {
  const arrived = new Map<string, number>();
  const held = Promise.withResolvers<void>();
  const complete = Promise.withResolvers<void>();
  const late = setTimeout(() => {
    complete.reject(new Error(`${arrived.size} of ${expected} events arrived in time`));
  }, LONGEST_MS);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const at = performance.now();
      await request.body?.cancel();
      if (new URL(request.url).pathname === "/e0") {
        if (kind === "one hangs") await held.promise;
        return new Response();
      }
      const id = request.headers.get("webhook-id") ?? "";
      if (!arrived.has(id)) arrived.set(id, at);
      if (arrived.size === expected) complete.resolve();
      return new Response();
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    complete: complete.promise,
    release: () => held.resolve(),
    arrivedAt: () => [...arrived.values()],
    [Symbol.asyncDispose]: async () => {
      clearTimeout(late);
      held.resolve();
      await server.shutdown();
    },
  };
}

function makeEndpoints(
  { options: { sizes: { webhooks } }, systems: { ours } }: World,
  url: string,
) {
  return ours.sql`
    select public.messenger_create_webhook_endpoint('e' || n, jsonb_build_object(
      'url', ${url}::text || '/e' || n, 'events', jsonb_build_array('e' || n)
    ))
    from generate_series(0, ${webhooks.endpoints}::integer - 1) as n`;
}

async function clear({ systems: { ours } }: World): Promise<void> {
  await ours.clear();
  await ours
    .sql`select public.messenger_delete_webhook_endpoint(name) from public.messenger_webhook_endpoints`;
  await ours.sql`truncate public.messenger_webhook_events, public.messenger_webhook_deliveries`;
}
