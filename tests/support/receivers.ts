/** Receivers of webhooks on this machine, over HTTP or TLS. */

/** A request that a receiver got. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A receiver with everything that it got. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly received: ReceivedWebhook[];
}

/**
 * Starts a receiver on loopback.
 * @param answer returns the answer to a request, after it was noted
 * @param tls certificate and key; default: plain HTTP
 */
export function startReceiver(
  answer: (webhook: ReceivedWebhook) => Response | Promise<Response> = () => new Response(),
  tls?: { readonly cert: string; readonly key: string },
): Receiver {
  const received: ReceivedWebhook[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
    async (request) => {
      const webhook = {
        path: new URL(request.url).pathname,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      };
      received.push(webhook);
      return await answer(webhook);
    },
  );
  const { port } = server.addr;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A certificate of its own authority for localhost and rebind.example, which serves tests only. */
export async function receiverCertificate(): Promise<{ cert: string; key: string }> {
  const folder = new URL("../unit/webhooks/fixtures/", import.meta.url);
  const read = (name: string) => Deno.readTextFile(new URL(name, folder));
  return { cert: await read("receiver.crt"), key: await read("receiver.key") };
}
