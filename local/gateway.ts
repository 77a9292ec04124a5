// The one port of the stack, with Supabase's URLs: the Data API, Auth and the functions.
import { StackError } from "./errors.ts";
import type { Functions } from "./functions.ts";
import type { AuthApi } from "./auth_api.ts";
import type { Keys } from "./keys.ts";

/** The servers behind the gateway. */
export interface Backends {
  dataApi: (request: Request) => Promise<Response>;
  authApi: AuthApi;
  functions: Functions;
  keys: Keys;
  /** Whether a function wants a valid user JWT before it is called at all (config.toml). */
  verifiesJwt: (name: string) => boolean;
  /** Told of each request, by method and path. */
  onRequest?: (request: string) => void;
}

/** An open port. */
export interface Gateway {
  readonly port: number;
  /** Opens the way; until then every request is answered 503. */
  connect(backends: Backends): void;
  /** Lets running requests end, for at most a second, and closes the port. */
  stop(): Promise<void>;
}

/** Listens on a loopback port (0: any free one). Throws a StackError when the port is taken. */
export function openGateway(port: number): Gateway {
  let backends: Backends | undefined;
  const cutOff = new AbortController();
  const server = listen(
    port,
    cutOff.signal,
    (request) =>
      backends === undefined
        ? Response.json({ message: "The local stack is starting" }, { status: 503 })
        : route(request, backends),
  );
  return {
    port: server.addr.port,
    connect(opened) {
      backends = opened;
    },
    async stop() {
      const timer = setTimeout(() => cutOff.abort(), 1000);
      await server.shutdown();
      clearTimeout(timer);
    },
  };
}

function listen(
  port: number,
  signal: AbortSignal,
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({
      hostname: "127.0.0.1",
      port,
      signal,
      onListen: () => {},
      // Such as a database that is down, under Auth.
      onError: (error) => Response.json({ message: String(error) }, { status: 500 }),
    }, handler);
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    throw new StackError(`port ${port} is taken: choose another one with --port`, { cause: error });
  }
}

/** Methods that fetch refuses to send. The gateway of a hosted project answers them itself. */
const NOT_FORWARDED = ["CONNECT", "TRACE", "TRACK"];

async function route(request: Request, backends: Backends): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  backends.onRequest?.(`${request.method} ${pathname}`);
  if (NOT_FORWARDED.includes(request.method)) {
    return Response.json({ message: `${request.method} is not allowed` }, { status: 405 });
  }
  if (pathname.startsWith("/rest/v1/")) return await backends.dataApi(request);
  if (pathname.startsWith("/auth/v1/")) return await backends.authApi.fetch(request);
  const [, path, name] = /^\/functions\/v1(\/([^/]*).*)$/.exec(pathname) ?? [];
  if (path === undefined || name === undefined) {
    return Response.json({ message: "no Route matched with those values" }, { status: 404 });
  }
  const wantsJwt = backends.verifiesJwt(name) && request.method !== "OPTIONS";
  if (wantsJwt && !await hasValidJwt(request, backends.keys)) {
    return Response.json({ code: 401, message: "Invalid JWT" }, { status: 401 });
  }
  return await backends.functions.fetch(name, path + search, request);
}

async function hasValidJwt(request: Request, keys: Keys): Promise<boolean> {
  const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
  return await keys.verify(token) !== undefined;
}
