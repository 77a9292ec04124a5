/**
 * Keeps others than the operator's page out of the console's server. It holds the secret key, and any page that is open in the operator's browser can
 * send requests to 127.0.0.1. Pure.
 */

import { createHash, timingSafeEqual } from "node:crypto";

/** The parts of a request that the guard looks at. */
export interface Asked {
  readonly method: string;
  /** The path of its URL, as it was sent. */
  readonly path: string;
  /** Value of a header; names are in lower case. */
  readonly header: (name: string) => string | undefined;
}

/** The facts of the server that the guard compares with. */
export interface Gate {
  readonly port: number;
  /** The random text of the printed address. */
  readonly token: string;
  readonly isReadOnly: boolean;
}

/** A refusal, with its status. */
export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly code: "wrong_host" | "other_origin" | "no_session" | "read_only";
  readonly message: string;
}

const READS = new Set(["GET", "HEAD"]);

/**
 * Header in which the page sends the token. A cookie would reach every server of this machine, since cookies do not
 * know ports, and the browser would send it by itself.
 */
export const TOKEN_HEADER = "x-symphony-token";

/**
 * Judges a request.
 * @returns why it is refused; null: it is let in
 */
export function judge(asked: Asked, gate: Gate): Refusal | null {
  return judgeSender(asked, gate) ?? judgeSession(asked, gate) ?? judgeMethod(asked, gate);
}

/** Judges where a request comes from, and not what it may do. */
export function judgeSender(asked: Asked, gate: Gate): Refusal | null {
  return judgeHost(asked, gate) ?? judgeOrigin(asked, gate);
}

/**
 * A page of another site may have a name that leads to 127.0.0.1. Its requests name that site as their host.
 */
function judgeHost({ header }: Asked, { port }: Gate): Refusal | null {
  if (ownHosts(port).includes(header("host") ?? "")) return null;
  return {
    status: 421,
    code: "wrong_host",
    message: "The console has another address: open the one that the command printed.",
  };
}

/** A link from elsewhere may lead to the page; nothing else that comes from another site is let in. */
function judgeOrigin({ method, path, header }: Asked, { port }: Gate): Refusal | null {
  const site = header("sec-fetch-site");
  const origin = header("origin");
  const isOwnOrigin = ownHosts(port).some((host) => origin === `http://${host}`);
  const isRead = READS.has(method);
  const isPage = isRead && !path.startsWith("/api") && header("sec-fetch-mode") === "navigate";
  const isAllowed = isPage
    ? true
    : site !== undefined
    ? site === "same-origin" && (origin === undefined || isOwnOrigin)
    : isRead
    // Programs such as curl send neither; browsers send one of the two with every change.
    ? origin === undefined || isOwnOrigin
    : isOwnOrigin;
  return isAllowed ? null : {
    status: 403,
    code: "other_origin",
    message: "The request comes from another page.",
  };
}

/** The page's own files are those of the package, and hold nothing of the project: they need no token. */
function judgeSession({ method, path, header }: Asked, gate: Gate): Refusal | null {
  const isFile = READS.has(method) && path !== "/config.json" && !path.startsWith("/api");
  if (isFile || isSame(header(TOKEN_HEADER) ?? "", gate.token)) return null;
  return {
    status: 401,
    code: "no_session",
    message: "Open the address that the command printed: it has the token.",
  };
}

function judgeMethod({ method }: Asked, { isReadOnly }: Gate): Refusal | null {
  if (!isReadOnly || READS.has(method)) return null;
  return {
    status: 403,
    code: "read_only",
    message: "The console was started with --read-only.",
  };
}

/** Whether two texts are the same; takes the same time whichever part differs. */
export function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function ownHosts(port: number): string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}
