/**
 * How senders of webhooks sign: the choices of a function that takes them in. They are loaded with the door for edge
 * functions; what verifies is loaded by the functions that `createWebhook` makes.
 */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { checkNames } from "../runtime/option-names.ts";

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

function schemeOf(sender: WebhookScheme["sender"], options: SchemeOptions): WebhookScheme {
  checkNames(options, ["secrets", "tolerance"], "verify: ");
  const secrets = (options.secrets ?? []).filter((secret): secret is string =>
    typeof secret === "string" && secret !== ""
  );
  if (secrets.length === 0 || secrets.length > MAX_SECRETS) {
    throw new RangeError(
      `verify: secrets: ${sender} needs 1 to ${MAX_SECRETS} secrets (${secrets.length} were given); ` +
        "set the variable that holds it",
    );
  }
  const toleranceMs = parseDuration(options.tolerance ?? "5m", "verify: tolerance");
  return Object.freeze({ sender, secrets: Object.freeze(secrets), toleranceMs });
}
