/** A connection to a stack that loses responses. */

import type { TestStack } from "./stack.ts";

/** A port that leads to a stack. */
export interface LossyWay {
  readonly url: string;
  /** Forwards a number of requests to the stack, and closes the connection when the response comes. */
  lose(answers: number): void;
  /** How many are still to be lost. */
  readonly left: () => number;
  stop(): void;
}

/** Opens the port. */
export function lossyWay(stack: TestStack): LossyWay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clients = new Set<Deno.Conn>();
  let left = 0;

  async function carry(client: Deno.Conn): Promise<void> {
    clients.add(client);
    const server = await Deno.connect({ hostname: "127.0.0.1", port: stack.port });
    let isDoomed = false;
    const requests = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (left > 0 && !isDoomed) {
          left--;
          isDoomed = true;
        }
        controller.enqueue(chunk);
      },
    });
    const answers = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (isDoomed) throw new Error("lost");
        controller.enqueue(chunk);
      },
    });
    await Promise.allSettled([
      client.readable.pipeThrough(requests).pipeTo(server.writable),
      server.readable.pipeThrough(answers).pipeTo(client.writable),
    ]);
    clients.delete(client);
  }

  /** Runtimes themselves repeat a request that fails on a connection that was used before. */
  function closeIdle(): void {
    for (const client of clients) client.close();
    clients.clear();
  }

  (async () => {
    for await (const client of listener) carry(client);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    lose: (answers) => {
      closeIdle();
      left = answers;
    },
    left: () => left,
    stop: () => {
      listener.close();
      closeIdle();
    },
  };
}
