/** An edge function that takes in the webhooks of another system: verifies, dispatches, and answers at once. */

import type { z } from "zod";
import { loggedProblem, VERSION_HEADER } from "./app.ts";
import { decode, parseBody } from "./body.ts";
import { Problem } from "./problem.ts";
import { ConflictError } from "../message/errors.ts";
import type { Messenger } from "../messenger.ts";
import type { Logger } from "../runtime/log.ts";
import { surviveStrayErrors } from "../runtime/stray-errors.ts";
import { VERSION } from "../runtime/version.ts";
import { within } from "../runtime/within.ts";
import type { IncomingWebhook, IncomingWebhookOptions } from "../webhooks/incoming-options.ts";
import {
  type IncomingRequest,
  InvalidSignatureError,
  sourceOf,
  type VerifiedWebhook,
} from "../webhooks/incoming-scheme.ts";
import { verifyWebhook } from "../webhooks/verify-webhook.ts";

/** Longest time for the body, and for a `verify` of the user's, in ms. */
const READ_MS = 10_000;
const VERIFY_MS = 10_000;
const MAX_ID_LENGTH = 200;

/**
 * Makes the app of one function: `POST` at any path.
 *
 * It answers 202 once the message is written, and also if the same id came before: a sender that has missed the
 * answer repeats the webhook. 401 tells that the signature is wrong, 503 that a repetition may succeed.
 * @param now for tests
 * @throws RangeError if the source is no name
 */
export function webhookApp<Schema extends z.ZodType>(
  messenger: Messenger,
  options: IncomingWebhookOptions<Schema>,
  now: () => Date = () => new Date(),
): { fetch(request: Request): Promise<Response> } {
  sourceOf(options);
  surviveStrayErrors(messenger.log);
  return {
    async fetch(request) {
      try {
        return await take(request, messenger, options, now);
      } catch (thrown) {
        const problem = await loggedProblem(thrown, messenger);
        const { status, retryAfterS } = problem;
        return respond(problem, status, {
          ...(status === 405 && { allow: "POST" }),
          ...(retryAfterS !== undefined && { "retry-after": String(retryAfterS) }),
        });
      }
    },
  };
}

async function take<Schema extends z.ZodType>(
  request: Request,
  messenger: Messenger,
  options: IncomingWebhookOptions<Schema>,
  now: () => Date,
): Promise<Response> {
  if (request.method !== "POST") {
    throw new Problem(405, "method_not_allowed", `${request.method} is not allowed here`);
  }
  const body = await within(
    readBytes(request, messenger.config.maxBodyBytes),
    READ_MS,
    () => new Problem(408, "timeout", "The body did not come in time"),
  );
  const verified = await verifiedOf(
    { headers: request.headers, body, now: now() },
    options,
    messenger.log,
  );
  const webhook = incoming(verified, request.headers, body);
  const { message, payload = ({ body }) => body as z.input<Schema> } = options;
  const content = payload(webhook);
  if (content === undefined) return respond({ ignored: true }, 200);
  const given = typeof options.options === "function" ? options.options(webhook) : options.options;
  const source = sourceOf(options);
  try {
    const idempotencyKey = `webhook:${source}:${verified.id}`;
    const id = await messenger.bus.dispatch(message, content, { ...given, idempotencyKey });
    return respond({ id }, 202);
  } catch (error) {
    // Some senders change a repeated event, such as a count of attempts in it. The first one stands.
    if (!(error instanceof ConflictError)) throw error;
    messenger.log.info("webhook_duplicate", { type: message.type, source, webhook: verified.id });
    return respond({ duplicate: true }, 200);
  }
}

/** @throws Problem 401 if the request is not the sender's */
async function verifiedOf<Schema extends z.ZodType>(
  request: IncomingRequest,
  { verify }: IncomingWebhookOptions<Schema>,
  log: Logger,
): Promise<VerifiedWebhook> {
  try {
    if (typeof verify !== "function") return await verifyWebhook(verify, request);
    const late = () => new Error("verify took longer than 10 s");
    return checked(await within(Promise.resolve(verify(request)), VERIFY_MS, late));
  } catch (cause) {
    const reason = cause instanceof InvalidSignatureError ? `: ${cause.message}` : "";
    log.warn("webhook_refused", { error: String(cause) });
    throw new Problem(401, "invalid_signature", `The webhook is refused${reason}`, undefined, {
      cause,
    });
  }
}

/** @throws Error if a `verify` of the user's returned no id by which a repetition is known */
function checked(verified: VerifiedWebhook): VerifiedWebhook {
  const id: unknown = verified?.id;
  if (typeof id === "string" && id.length > 0 && id.length <= MAX_ID_LENGTH) return verified;
  throw new Error(`verify: has to return an id of 1 to ${MAX_ID_LENGTH} characters`);
}

function incoming(
  verified: VerifiedWebhook,
  headers: Headers,
  bytes: Uint8Array<ArrayBuffer>,
): IncomingWebhook {
  let parsed: { readonly body: unknown } | undefined;
  return {
    ...verified,
    headers,
    get text() {
      return decode(bytes.buffer);
    },
    get body() {
      return (parsed ??= { body: parseBody(bytes.buffer) }).body;
    },
  };
}

/** Reads no more bytes than allowed, whatever `content-length` says. @throws Problem 413 */
async function readBytes(request: Request, max: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = () =>
    new Problem(413, "body_too_large", `The body is too large; it may have at most ${max} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > max) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > max) throw tooLarge();
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function respond(
  body: unknown,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, { status, headers: { [VERSION_HEADER]: VERSION, ...headers } });
}
