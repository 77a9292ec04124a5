/**
 * How senders of webhooks sign: the choices of a function that takes them in. They are loaded with the door for edge
 * functions; what verifies is loaded by the functions that `createWebhook` makes.
 */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { isClass, isGenerator, readProperty, showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import { readSecret } from "./webhook-signature.ts";

/** A request of a sender, with the bytes that it signed. */
export interface IncomingRequest {
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer>;
  readonly now: Date;
}

/** The facts that a verified request tells. */
export interface VerifiedWebhook {
  /** The sender's id of the event: a repetition has the same. */
  readonly id: string;
  /** The sender's name of the event; null if it names none. */
  readonly type: string | null;
  /** When it was sent; null if the signature does not say. */
  readonly sentAt: Date | null;
}

/** Verifies a request. @throws InvalidSignatureError, or any other error, if it is not the sender's */
export type VerifyWebhook = (
  request: IncomingRequest,
) => VerifiedWebhook | Promise<VerifiedWebhook>;

/** Options of a scheme. */
export interface SchemeOptions {
  /** At least one and at most 5; those that are undefined or empty are left out. Two during a rotation. */
  readonly secrets: readonly (string | undefined)[];
  /** How far the time of the signature may be from now; default: 5 min. */
  readonly tolerance?: Duration;
}

/** A scheme of the library, with its secrets. */
export interface WebhookScheme {
  readonly sender: "standard-webhooks" | "svix" | "stripe" | "github";
  readonly secrets: readonly string[];
  readonly toleranceMs: number;
}

/** The request is not the sender's: its signature or its time is wrong. */
export class InvalidSignatureError extends Error {
  override readonly name = "InvalidSignatureError";
}

const MAX_SECRETS = 5;

/** Schemes whose secrets are base64. The others sign with the secret's text. */
const HAS_CODED_SECRETS: ReadonlySet<WebhookScheme["sender"]> = new Set([
  ...["standard-webhooks", "svix"] as const,
]);

/** Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`. @throws RangeError without a secret */
export function verifyStandardWebhooks(options: SchemeOptions): WebhookScheme {
  return schemeOf("standard-webhooks", options);
}

/** Svix: `svix-id`, `svix-timestamp`, `svix-signature`. @throws RangeError without a secret */
export function verifySvix(options: SchemeOptions): WebhookScheme {
  return schemeOf("svix", options);
}

/** Stripe: `stripe-signature`; the id is the event's. @throws RangeError without a secret */
export function verifyStripe(options: SchemeOptions): WebhookScheme {
  return schemeOf("stripe", options);
}

/**
 * GitHub: `x-hub-signature-256`; the id is `x-github-delivery`. GitHub signs the body, but neither id nor time.
 * @throws RangeError without a secret
 */
export function verifyGithub(options: Omit<SchemeOptions, "tolerance">): WebhookScheme {
  return schemeOf("github", options);
}

/**
 * Checks a verification, which would else fail at each request.
 * @throws RangeError if it is neither a scheme nor a function
 */
export function checkVerify(verify: unknown): void {
  const isScheme = Array.isArray(readProperty(verify, "secrets")) &&
    typeof readProperty(verify, "sender") === "string" &&
    typeof readProperty(verify, "toleranceMs") === "number";
  const isCallable = typeof verify === "function" && !isGenerator(verify) && !isClass(verify);
  if (isScheme || isCallable) return;
  throw new RangeError(
    `verify: has to be a scheme, such as verifyStripe({...}), or a function; got ${
      showValue(verify)
    }`,
  );
}

/**
 * Name of the sender in the idempotency keys of its webhooks.
 * @throws RangeError if `source` is no such name
 */
export function sourceOf({ source, verify }: {
  readonly source?: string;
  readonly verify: WebhookScheme | VerifyWebhook;
}): string {
  if (source === undefined) return typeof verify === "function" ? "own" : verify.sender;
  if (typeof source === "string" && /^[A-Za-z0-9_.-]{1,40}$/.test(source)) return source;
  throw new RangeError(
    `source: has to be 1 to 40 letters, digits or _ . - (was ${showValue(source)})`,
  );
}

function schemeOf(sender: WebhookScheme["sender"], options: SchemeOptions): WebhookScheme {
  checkNames(options, ["secrets", "tolerance"], "verify: ");
  const secrets: string[] = [];
  for (const [index, secret] of (options.secrets ?? []).entries()) {
    if (typeof secret !== "string" || secret === "") continue;
    if (HAS_CODED_SECRETS.has(sender)) checkSecret(secret, index);
    secrets.push(secret);
  }
  if (secrets.length === 0 || secrets.length > MAX_SECRETS) {
    throw new RangeError(
      `verify: secrets: ${sender} needs 1 to ${MAX_SECRETS} secrets (${secrets.length} were given); ` +
        "set the variable that holds it",
    );
  }
  const toleranceMs = parseDuration(options.tolerance ?? "5m", "verify: tolerance");
  return Object.freeze({ sender, secrets: Object.freeze(secrets), toleranceMs });
}

/** A secret of another form would refuse every webhook. @throws RangeError that names its place, not its value */
function checkSecret(secret: string, index: number): void {
  try {
    readSecret(secret);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`verify: secrets[${index}]${error.message.replace("secret", "")}`);
  }
}
