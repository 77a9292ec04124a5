/** The agent that posts: a number of clients, each sending its next request when it has an answer. */

import { serve } from "./serve.ts";

/** Requests to be posted. */
export interface PostTask {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body; `"n":0` in it becomes the number of the request. */
  readonly body: string;
  readonly clients: number;
  readonly count: number;
}

/** Time that posting took. */
export interface Posted {
  readonly seconds: number;
  readonly latenciesMs: number[];
}

await serve(() => ({
  post: async ({ url, headers, body, clients, count }: PostTask): Promise<Posted> => {
    const latenciesMs: number[] = [];
    const startedAt = performance.now();
    let next = 0;
    const client = async () => {
      while (next < count) {
        const sentAt = performance.now();
        const response = await fetch(url, {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: body.replace('"n":0', `"n":${next++}`),
        });
        const text = await response.text();
        if (!response.ok) throw new Error(`${response.status} ${text}`);
        latenciesMs.push(performance.now() - sentAt);
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
    return { seconds: (performance.now() - startedAt) / 1000, latenciesMs };
  },
}));
