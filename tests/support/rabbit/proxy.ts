/** A way to a broker that a test can cut: what is under way is lost, and both ends see a closed connection. */

/** A way to a port of this machine. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Ends all connections. */
  cut(): void;
  /** Lets nothing of the broker through, until the next cut. */
  mute(): void;
}

/** Opens a way to a port. */
export function startProxy(target: number): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let isMute = false;
  const pipe = async (from: Deno.Conn, to: Deno.Conn, isAnswer: boolean) => {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (isAnswer && isMute) continue;
        for (let sent = 0; sent < count;) sent += await to.write(buffer.subarray(sent, count));
      }
    } catch {
      // Cut, or ended by the other end.
    }
    end(from);
    end(to);
  };
  const end = (connection: Deno.Conn) => void (open.delete(connection) && connection.close());
  const serving = (async () => {
    for await (const client of listener) {
      open.add(client);
      const server = await Deno.connect({ hostname: "127.0.0.1", port: target }).catch(() => null);
      if (!server) {
        end(client);
        continue;
      }
      open.add(server);
      void pipe(client, server, false);
      void pipe(server, client, true);
    }
  })();
  const cut = () => {
    isMute = false;
    for (const connection of [...open]) end(connection);
  };
  return {
    port: listener.addr.port,
    cut,
    mute: () => void (isMute = true),
    async [Symbol.asyncDispose]() {
      listener.close();
      cut();
      await serving.catch(() => {});
    },
  };
}
