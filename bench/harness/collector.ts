/** Hears from the functions when their handlers started. */

/** An open port that probes report to. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  /** Resolves with the start of the handler of message `n`, in ms since 1970. */
  started(n: number): Promise<number>;
}

/** Opens a collector on a free loopback port. */
export function openCollector(): Collector {
  const probes = new Map<number, PromiseWithResolvers<number>>();
  const probe = (n: number) => {
    let found = probes.get(n);
    if (!found) probes.set(n, found = Promise.withResolvers<number>());
    return found;
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { n, at } = await request.json();
      probe(n).resolve(at);
      return new Response(null, { status: 204 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    started: (n) => probe(n).promise,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
