/** A stand-in for Supabase Realtime: its table and functions, and its WebSocket in front of a stack. */

import { forward } from "../../local/forward.ts";
import type { TestStack } from "./stack.ts";

/**
 * The table and functions of Supabase Realtime that are used: like there, send() writes with its
 * caller's rights.
 */
export const REALTIME = `
  create schema realtime;
  create table realtime.messages (
    n serial, topic text, extension text, payload jsonb, event text, private boolean
  );
  alter table realtime.messages enable row level security;
  grant usage on schema realtime to anon, authenticated, service_role;
  grant select, insert on realtime.messages to anon, authenticated, service_role;
  grant usage on sequence realtime.messages_n_seq to service_role;
  create function realtime.topic() returns text language sql stable as
    $$ select current_setting('realtime.topic', true) $$;
  create function realtime.send(payload jsonb, event text, topic text, private boolean default true)
  returns void language sql as $$
    insert into realtime.messages (topic, extension, payload, event, private)
    values (topic, 'broadcast', payload, event, private)
  $$;
  select public.messenger_enable_live();
`;

/** A stack with Realtime. */
export interface Realtime {
  /** The project's URL: a gateway that also serves /realtime/v1. */
  readonly url: string;
  /** Topics that were joined, in order; one is added at each join. */
  readonly joined: string[];
  /** How many requests for states were made. */
  readonly looks: () => number;
  /** Ends all connections and takes no more. */
  cutOff(): void;
  stop(): Promise<void>;
}

/** A frame of Phoenix's protocol, version 2. */
type Frame = [
  joinRef: string | null,
  ref: string | null,
  topic: string,
  event: string,
  payload: { access_token?: string; config?: { private?: boolean } },
];

/** Puts a gateway before a stack, which hands on what realtime.send() has written. */
export async function startRealtime(stack: TestStack): Promise<Realtime> {
  await stack.sql.unsafe(`drop schema if exists realtime cascade; ${REALTIME}`).simple();
  const sockets = new Map<WebSocket, Set<string>>();
  const joined: string[] = [];
  let looks = 0;
  let isCutOff = false;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/realtime/v1/websocket") {
        if (isCutOff) return new Response(null, { status: 503 });
        const { socket, response } = Deno.upgradeWebSocket(request);
        sockets.set(socket, new Set());
        socket.onclose = () => sockets.delete(socket);
        socket.onmessage = ({ data }) => answer(socket, JSON.parse(data));
        return response;
      }
      if (/\/dispatch\/(\d+|status)$/.test(pathname)) looks++;
      const response = await forward(request, stack.url + pathname + search, 30_000);
      return typeof response === "string" ? new Response(null, { status: 502 }) : response;
    },
  );

  function answer(socket: WebSocket, [joinRef, ref, topic, event, payload]: Frame): void {
    const isAllowed = event !== "phx_join" ||
      payload.config?.private === true && topic === `realtime:messenger:${subject(payload)}`;
    if (event === "phx_join" && isAllowed) {
      sockets.get(socket)?.add(topic);
      joined.push(topic);
    }
    const reply = { status: isAllowed ? "ok" : "error", response: {} };
    socket.send(JSON.stringify([joinRef, ref, topic, "phx_reply", reply]));
  }

  // Realtime tells of changes in the order of their commits, which is not that of their numbers.
  const told = new Set<number>();
  const pump = async () => {
    const rows = await stack.sql<{ n: number; topic: string; event: string; payload: unknown }[]>`
      select n, topic, event, payload from realtime.messages where n <> all (${[
      ...told,
    ]}) order by n`;
    for (const { n, topic, event, payload } of rows) {
      told.add(n);
      const update = { type: "broadcast", event, payload };
      for (const [socket, topics] of sockets) {
        if (!topics.has(`realtime:${topic}`)) continue;
        socket.send(JSON.stringify([null, null, `realtime:${topic}`, "broadcast", update]));
      }
    }
  };
  let pumping: Promise<void> = Promise.resolve();
  const timer = setInterval(() => pumping = pumping.then(pump), 20);

  const cutOff = () => {
    isCutOff = true;
    for (const socket of sockets.keys()) socket.close();
  };
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    joined,
    looks: () => looks,
    cutOff,
    stop: async () => {
      clearInterval(timer);
      await pumping;
      cutOff();
      await server.shutdown();
      await stack.sql`drop schema realtime cascade`;
    },
  };
}

/** Whose token it is. */
function subject({ access_token = "" }: Frame[4]): string | undefined {
  const claims = access_token.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
  return claims && JSON.parse(atob(claims)).sub;
}
