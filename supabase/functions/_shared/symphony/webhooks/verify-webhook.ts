/**
 * Verifies the requests of senders by their documented schemes, with WebCrypto: `crypto.subtle.verify` compares in
 * constant time. The senders' libraries sign the requests of the tests; they are not part of a function, because
 * Stripe's alone is larger than a function may be.
 */

import { decodeBase64, decodeHex, hmacKey } from "./hmac.ts";
import {
  type IncomingRequest,
  InvalidSignatureError,
  type VerifiedWebhook,
  type WebhookScheme,
} from "./incoming-scheme.ts";
import { readSecret } from "./webhook-signature.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Signatures of one request that are compared; a sender has one for each of its secrets. */
const MAX_SIGNATURES = 10;
const MAX_ID_LENGTH = 200;

const text = (value: string): Bytes => new TextEncoder().encode(value);

/**
 * Verifies a request by one of the library's schemes.
 * @throws InvalidSignatureError that says what is wrong, without secrets
 */
export async function verifyWebhook(
  scheme: WebhookScheme,
  request: IncomingRequest,
): Promise<VerifiedWebhook> {
  switch (scheme.sender) {
    case "stripe":
      return await verifyStripe(scheme, request);
    case "github":
      return await verifyGithub(scheme, request);
    case "svix":
      return await verifyStandard(scheme, request, ["svix", "webhook"]);
    case "standard-webhooks":
      return await verifyStandard(scheme, request, ["webhook"]);
  }
}

async function verifyStandard(
  { secrets, toleranceMs }: WebhookScheme,
  request: IncomingRequest,
  prefixes: readonly string[],
): Promise<VerifiedWebhook> {
  const { headers, body } = request;
  const prefix = prefixes.find((name) => headers.has(`${name}-id`)) ?? prefixes[0];
  const id = required(headers, `${prefix}-id`);
  const seconds = required(headers, `${prefix}-timestamp`);
  const sentAt = checkTime(seconds, toleranceMs, request);
  const signatures = required(headers, `${prefix}-signature`).split(" ")
    .filter((signature) => signature.startsWith("v1,"))
    .map((signature) => decodeBase64(signature.slice(3)));
  const content = joined(text(`${id}.${seconds}.`), body);
  await checkSignature(secrets.map(readSecret), signatures, content);
  return { id: checkId(id), type: fieldOf(body, "type"), sentAt };
}

async function verifyStripe(
  { secrets, toleranceMs }: WebhookScheme,
  request: IncomingRequest,
): Promise<VerifiedWebhook> {
  const parts = required(request.headers, "stripe-signature").split(",").map((part) => {
    const [name = "", value = ""] = part.trim().split("=", 2);
    return { name, value };
  });
  const seconds = parts.find(({ name }) => name === "t")?.value ?? "";
  const sentAt = checkTime(seconds, toleranceMs, request);
  const signatures = parts.filter(({ name }) => name === "v1").map(({ value }) => decodeHex(value));
  await checkSignature(secrets.map(text), signatures, joined(text(`${seconds}.`), request.body));
  const id = fieldOf(request.body, "id") ?? "";
  return { id: checkId(id), type: fieldOf(request.body, "type"), sentAt };
}

async function verifyGithub(
  { secrets }: WebhookScheme,
  { headers, body }: IncomingRequest,
): Promise<VerifiedWebhook> {
  const [, hex = ""] = /^sha256=(.*)$/.exec(required(headers, "x-hub-signature-256")) ?? [];
  await checkSignature(secrets.map(text), [decodeHex(hex)], body);
  const id = required(headers, "x-github-delivery");
  return { id: checkId(id), type: headers.get("x-github-event"), sentAt: null };
}

/** @throws InvalidSignatureError if no secret has made one of the signatures */
async function checkSignature(
  secrets: readonly Bytes[],
  signatures: readonly (Bytes | undefined)[],
  content: Bytes,
): Promise<void> {
  const given = signatures.filter((signature) => signature !== undefined).slice(0, MAX_SIGNATURES);
  const keys = await Promise.all(secrets.map((secret) => hmacKey(secret)));
  const matches = await Promise.all(
    keys.flatMap((key) =>
      given.map((signature) => crypto.subtle.verify("HMAC", key, signature, content))
    ),
  );
  if (!matches.includes(true)) throw new InvalidSignatureError("no signature matches a secret");
}

/** @throws InvalidSignatureError if it is no time, or too far from now */
function checkTime(seconds: string, toleranceMs: number, { now }: IncomingRequest): Date {
  const sentAt = new Date(/^\d{1,12}$/.test(seconds) ? Number(seconds) * 1_000 : NaN);
  // A time that is no number is not near now either.
  if (!(Math.abs(now.getTime() - sentAt.getTime()) <= toleranceMs)) {
    throw new InvalidSignatureError("the time of the signature is too far from now");
  }
  return sentAt;
}

function checkId(id: string): string {
  if (id.length > 0 && id.length <= MAX_ID_LENGTH) return id;
  throw new InvalidSignatureError(`the id has to have 1 to ${MAX_ID_LENGTH} characters`);
}

function required(headers: Headers, name: string): string {
  const value = headers.get(name);
  if (value === null) throw new InvalidSignatureError(`the header ${name} is missing`);
  return value;
}

/** A text of the body's JSON; null if there is none. It is read after the signature was verified. */
function fieldOf(body: Bytes, name: "id" | "type"): string | null {
  try {
    const value = JSON.parse(new TextDecoder().decode(body))?.[name];
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

function joined(start: Bytes, rest: Bytes): Bytes {
  const all = new Uint8Array(start.length + rest.length);
  all.set(start);
  all.set(rest, start.length);
  return all;
}
