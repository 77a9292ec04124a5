/**
 * Posts a body to a URL over the public internet: to checked addresses only, with redirects followed one by one, a
 * limit of time, and the first bytes of the answer.
 */

import { VERSION } from "../runtime/version.ts";
import { type AnswerHead, AnswerReader } from "./http-answer.ts";
import { type ConnectionRules, isAllowedPrivate } from "./host-addresses.ts";
import { close, openConnection, untilAborted } from "./pinned-connection.ts";
import { WebhookRefusedError } from "./webhook-errors.ts";

/** A request of a webhook call. */
export interface WebhookPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Limits of a webhook call. */
export interface PostLimits extends ConnectionRules {
  /** Longest time until the answer's head is there, redirects included, in ms. */
  readonly timeoutMs: number;
  /** Ends the call earlier. */
  readonly signal: AbortSignal;
}

/** The answer to a webhook call. */
export interface WebhookAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The first 1,000 bytes of the body, as text. */
  readonly text: string;
}

const MAX_REDIRECTS = 3;
const MAX_ANSWER_BYTES = 1_000;
/** Longest wait for the body, in ms: the status has decided by then. */
const BODY_MS = 1_000;

/**
 * Posts a webhook call. Redirects of status 307 and 308, which keep method and body, are followed, at most 3.
 * @returns the answer, whatever its status is
 * @throws WebhookRefusedError if the URL or a redirect leads to a place that is not allowed
 * @throws DOMException TimeoutError after `timeoutMs`; the signal's reason; the error of the network
 */
export async function postWebhook(post: WebhookPost, limits: PostLimits): Promise<WebhookAnswer> {
  const signal = AbortSignal.any([limits.signal, AbortSignal.timeout(limits.timeoutMs)]);
  const endsAt = performance.now() + limits.timeoutMs;
  let url = checkedUrl(post.url, limits);
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await postOnce(url, post, { ...limits, endsAt }, signal);
    const location = answer.headers.get("location");
    if (![307, 308].includes(answer.status) || location === null) return answer;
    url = redirected(url, location, limits);
  }
  throw new WebhookRefusedError(`url: more than ${MAX_REDIRECTS} redirects`);
}

/**
 * Checks the URL of a webhook call, but not the addresses of its host.
 * @throws WebhookRefusedError that says what is wrong
 */
export function checkedUrl(text: string, rules: ConnectionRules): URL {
  if (!URL.canParse(text)) throw new WebhookRefusedError("url: is no URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw new WebhookRefusedError("url: has credentials; leave them out");
  }
  if (url.protocol === "https:" || url.protocol === "http:" && isAllowedPrivate(url, rules)) {
    return url;
  }
  throw new WebhookRefusedError(`url: has to begin with https:// (${url.protocol}// was given)`);
}

function redirected(from: URL, location: string, limits: PostLimits): URL {
  if (!URL.canParse(location, from)) throw new WebhookRefusedError("url: the redirect is no URL");
  return checkedUrl(new URL(location, from).href, limits);
}

async function postOnce(
  url: URL,
  { headers, body }: WebhookPost,
  limits: PostLimits & { readonly endsAt: number },
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const connection = await openConnection(url, limits, limits.endsAt, signal);
  try {
    const reader = new AnswerReader(connection);
    const head = await untilAborted(exchange(connection, reader, url, headers, body), signal);
    return { ...head, text: await firstText(reader, head) };
  } finally {
    close(connection);
  }
}

async function exchange(
  connection: Deno.Conn,
  reader: AnswerReader,
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<AnswerHead> {
  const content = new TextEncoder().encode(body);
  const lines = Object.entries({
    host: url.host,
    "user-agent": `symphony-messenger/${VERSION}`,
    accept: "*/*",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "content-length": String(content.length),
    connection: "close",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `POST ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`;
  // A server may answer and close before it has read everything: then the answer counts.
  write(connection, head, content).catch(() => {});
  return await reader.head();
}

async function write(connection: Deno.Conn, head: string, content: Uint8Array): Promise<void> {
  const start = new TextEncoder().encode(head);
  const all = new Uint8Array(start.length + content.length);
  all.set(start);
  all.set(content, start.length);
  for (let at = 0; at < all.length;) at += await connection.write(all.subarray(at));
}

/** The text of the body's first bytes, or of those that have come when the wait for them is over. */
async function firstText(reader: AnswerReader, head: AnswerHead): Promise<string> {
  const bytes: number[] = [];
  const read = reader.body(head, MAX_ANSWER_BYTES, (some) => bytes.push(...some));
  await untilAborted(read, AbortSignal.timeout(BODY_MS)).catch(() => {});
  // Postgres stores no null character in a text.
  return new TextDecoder().decode(new Uint8Array(bytes)).replaceAll("\0", "");
}
