/** The local server of the console: the page, and the management API behind it. */

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  forwardRequest,
  type PageAnswer,
  portTaken,
  problem,
  type Upstream,
} from "./forward-request.ts";
import { type Asked, type Gate, judge, judgeSender, TOKEN_HEADER } from "./guard.ts";
import { type PageFile, readPageFiles } from "./page-files.ts";
import { PageTokens } from "./page-tokens.ts";

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
  /** An address that lets one page in, within a minute: others may read it in the browser's command line. */
  readonly offerUrl: () => string;
}

const HOST = "127.0.0.1";
const DEFAULT_PORT = 4983;
const MAX_BODY_BYTES = 8 * 1024 * 1024;

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
  const tokens = new PageTokens();
  const server = createServer();
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  const gate: Gate = { port, token: tokens.session, isReadOnly: options.readOnly ?? false };
  const surroundings: Surroundings = { files, gate, tokens, options };
  server.on("request", (request, response) => {
    handle(request, surroundings).catch(() =>
      problem(500, "failed", "The console's server has failed.")
    ).then((answer) => send(request, response, answer));
  });
  return {
    // Browsers send no server what is behind the hash.
    url: `http://${HOST}:${port}/#token=${tokens.session}`,
    port,
    offerUrl: () => `http://${HOST}:${port}/#once=${tokens.offerOnce()}`,
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
  readonly tokens: PageTokens;
  readonly options: ConsoleOptions;
}

async function handle(
  request: IncomingMessage,
  surroundings: Surroundings,
): Promise<PageAnswer> {
  const { gate, tokens, options } = surroundings;
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
  const isExchange = path === "/session" && method === "POST";
  const refusal = isExchange ? judgeSender(asked, gate) : judge(asked, gate);
  if (refusal) return refused(refusal, path);
  if (isExchange) return exchange(asked, tokens);
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

/** The token that the browser was started with becomes the session's. */
function exchange({ header }: Asked, tokens: PageTokens): PageAnswer {
  const token = tokens.exchange(header(TOKEN_HEADER) ?? "");
  return token === null
    ? problem(401, "no_session", "This address was used already, or is too old.")
    : json({ token });
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
  return json({ mode: "local", readOnly, project: url });
}

function json(value: object): PageAnswer {
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify(value)),
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
