/** The local server of the console: the page, and the management API behind it. */

import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  forwardRequest,
  type PageAnswer,
  portTaken,
  problem,
  type Upstream,
} from "./forward-request.ts";
import { type Asked, cookieName, type Gate, isSame, judge, judgeHost } from "./guard.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";

/** Options of the server. */
export interface ConsoleOptions extends Upstream {
  /** Default: 4983, or any free one if that is taken. */
  readonly port?: number | undefined;
  readonly readOnly?: boolean;
  /** Where the built page is; by default the package's own. */
  readonly folder?: string;
}

/** A running server. */
export interface ConsoleServer extends AsyncDisposable {
  /** The address with its token, for the operator's browser alone. */
  readonly url: string;
  readonly port: number;
}

const HOST = "127.0.0.1";
const DEFAULT_PORT = 4983;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const MAX_AGE_S = 7 * 86_400;

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * Starts the server on 127.0.0.1.
 * @throws CommandError if the port is taken, or the console is not built
 */
export async function startConsole(options: ConsoleOptions): Promise<ConsoleServer> {
  const files = await readPageFiles(options.folder);
  const token = randomBytes(24).toString("base64url");
  const server = createServer();
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  const gate: Gate = { port, token, isReadOnly: options.readOnly ?? false };
  const surroundings: Surroundings = { files, gate, options };
  server.on("request", (request, response) => {
    handle(request, surroundings).catch(() =>
      problem(500, "failed", "The console's server has failed.")
    ).then((answer) => send(request, response, answer));
  });
  return {
    url: `http://${HOST}:${port}/?token=${token}`,
    port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, port: number | undefined): Promise<void> {
  const tryPort = (wanted: number) =>
    new Promise<boolean>((resolve, reject) => {
      server.once("error", (error: Error & { code?: string }) => {
        server.removeAllListeners("listening");
        if (error.code === "EADDRINUSE") resolve(false);
        else reject(error);
      });
      server.listen(wanted, HOST, () => {
        server.removeAllListeners("error");
        resolve(true);
      });
    });
  if (await tryPort(port ?? DEFAULT_PORT)) return;
  if (port !== undefined || !await tryPort(0)) throw portTaken(port ?? DEFAULT_PORT);
}

interface Surroundings {
  files: ReadonlyMap<string, PageFile>;
  readonly gate: Gate;
  readonly options: ConsoleOptions;
}

async function handle(
  request: IncomingMessage,
  surroundings: Surroundings,
): Promise<PageAnswer> {
  const { gate, options } = surroundings;
  const { method = "GET", url = "/" } = request;
  const [path = "/"] = url.split("?");
  const asked: Asked = {
    method,
    path,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
  if (path === "/" && method === "GET" && !judgeHost(asked, gate)) {
    const entered = enter(url, gate);
    if (entered) return entered;
  }
  const refusal = judge(asked, gate);
  if (refusal) return refused(refusal, path);
  if (path === "/config.json") return settings(options);
  if (path === "/api" || path.startsWith("/api/")) {
    return await passOn(request, method, url.slice("/api".length), options);
  }
  // The page may have been built again since.
  if (path === "/") surroundings.files = await readPageFiles(options.folder);
  const file = method === "GET" || method === "HEAD" ? surroundings.files.get(path) : undefined;
  if (!file) return problem(404, "not_found", "There is no such path.");
  return { status: 200, headers: { "content-type": file.type }, body: file.body };
}

/** The token of the printed address becomes a cookie, and leaves the address. */
function enter(url: string, gate: Gate): PageAnswer | null {
  const given = new URL(url, "http://localhost").searchParams.get("token");
  if (given === null) return null;
  if (!isSame(given, gate.token)) {
    return text(401, "This address belongs to a console that has ended.");
  }
  const cookie = `${
    cookieName(gate)
  }=${gate.token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${MAX_AGE_S}`;
  return {
    status: 303,
    headers: { location: "/", "set-cookie": cookie },
    body: new Uint8Array(),
  };
}

function refused(
  { status, code, message }: { status: number; code: string; message: string },
  path: string,
): PageAnswer {
  return path === "/" ? text(status, message) : problem(status, code, message);
}

function text(status: number, words: string): PageAnswer {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: new TextEncoder().encode(`${words}\n`),
  };
}

function settings({ url, readOnly = false }: ConsoleOptions): PageAnswer {
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify({ mode: "local", readOnly, project: url })),
  };
}

async function passOn(
  request: IncomingMessage,
  method: string,
  target: string,
  options: ConsoleOptions,
): Promise<PageAnswer> {
  const body = await readBody(request);
  if (body === null) {
    return problem(413, "too_large", `The body has more than ${MAX_BODY_BYTES} bytes.`);
  }
  const gone = new AbortController();
  const onClose = () => gone.abort();
  request.socket.once("close", onClose);
  try {
    return await forwardRequest(options, {
      method,
      target,
      contentType: request.headers["content-type"],
      body: body.length > 0 ? body : undefined,
      signal: gone.signal,
    });
  } finally {
    request.socket.off("close", onClose);
  }
}

/** null: it is too large. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function send(request: IncomingMessage, response: ServerResponse, answer: PageAnswer): void {
  if (response.destroyed) return;
  response.writeHead(answer.status, {
    ...SECURITY_HEADERS,
    ...answer.headers,
    "content-length": answer.body.length,
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}
