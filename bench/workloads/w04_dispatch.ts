/** W4: single dispatches over HTTP, beside bare inserts of the same row through PostgREST. */

import type { Posted, PostTask } from "../agents/http.ts";
import { startAgent } from "../harness/agent.ts";
import { turns } from "../harness/turns.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const CLIENTS = 16;
const PAYLOAD = { n: 0, text: "no-op" };

/** Requests a second of 16 clients, and their latencies. */
export const w04: Workload = {
  id: "W4",
  title: "Single dispatch over HTTP, 16 clients",
  async run({ options: { runs, sizes }, stack, systems: { ours } }) {
    await using agent = await startAgent("http", {});
    const secret = { apikey: stack.secretKey };
    const user = {
      apikey: stack.publishableKey,
      authorization: `Bearer ${await stack.mintUserJwt({ expiresInS: 24 * 3600 })}`,
    };
    const service = await stack.mintUserJwt({ role: "service_role", expiresInS: 24 * 3600 });
    const dispatch = {
      url: `${stack.url}/functions/v1/dispatch`,
      body: JSON.stringify({ type: "Noop", payload: PAYLOAD }),
    };
    const bare = {
      body: JSON.stringify({ type: "Noop", payload: PAYLOAD, queue: "default", priority: 0 }),
    };
    const table = "messenger_messages";
    const ways: Record<string, Pick<PostTask, "url" | "headers" | "body">> = {
      "dispatch, secret key": { ...dispatch, headers: secret },
      "dispatch, user's JWT": { ...dispatch, headers: user },
      "bare insert, same gateway": {
        ...bare,
        url: `${stack.url}/rest/v1/${table}`,
        headers: secret,
      },
      "bare insert, PostgREST itself": {
        ...bare,
        url: `${stack.postgrestUrl}/${table}`,
        headers: { authorization: `Bearer ${service}` },
      },
    };
    const rates = new Samples();
    const tails = new Samples();
    const post = (way: typeof ways[string], count: number) =>
      agent.call<Posted>("post", { ...way, clients: CLIENTS, count } satisfies PostTask);
    for (const way of Object.values(ways)) await post(way, CLIENTS);
    for (let run = 0; run < runs; run++) {
      for (const [name, way] of turns(Object.entries(ways), run)) {
        await ours.clear();
        const { seconds, latenciesMs } = await post(way, sizes.requests);
        const written = await ours.count();
        if (written !== sizes.requests) throw new Error(`${name} wrote ${written} rows`);
        rates.add(name, "requests/s", sizes.requests / seconds);
        tails.add(`${name}, median latency`, "ms", percentile(latenciesMs, 50));
        tails.add(`${name}, 99th percentile`, "ms", percentile(latenciesMs, 99));
      }
    }
    await ours.clear();
    return {
      measurements: [...rates.measurements, ...tails.measurements],
      goals: [
        atMost(
          "bare insert : dispatch",
          rates.ratio("bare insert, same gateway", "dispatch, secret key"),
          2,
        ),
      ],
      notes: [
        "A dispatch passes the gateway, the function (authentication, zod), the gateway again and " +
        "PostgREST. Gateway and functions are those of the local stack, one process each.",
      ],
    };
  },
};
