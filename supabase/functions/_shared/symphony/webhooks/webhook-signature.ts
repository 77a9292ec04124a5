/**
 * Signs and verifies as Standard Webhooks says (https://www.standardwebhooks.com): HMAC with SHA-256 over
 * `id.timestamp.body`. WebCrypto does it natively: the published libraries compute it in JavaScript or bring
 * megabytes into each function. Tests verify what is signed here with the published libraries, and the reverse.
 */

import { decodeBase64, encodeBase64, hmacKey } from "./hmac.ts";

/** A message that is signed. */
export interface SignedParts {
  /** Id of the event; the same in each repetition. */
  readonly id: string;
  /** Seconds since 1970 at which it was sent. */
  readonly timestamp: number;
  readonly body: string;
}

const PREFIX = "whsec_";
const MIN_SECRET_BYTES = 16;
const MAX_SECRET_BYTES = 256;

/**
 * Signs with each secret; during a rotation there are two.
 * @param secrets each `whsec_` and base64
 * @returns the value of the header `webhook-signature`
 * @throws RangeError if a secret has another form
 */
export async function signWebhook(
  secrets: readonly string[],
  { id, timestamp, body }: SignedParts,
): Promise<string> {
  const content = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map(async (secret) => {
    const key = await hmacKey(readSecret(secret));
    return `v1,${encodeBase64(await crypto.subtle.sign("HMAC", key, content))}`;
  }));
  return signatures.join(" ");
}

/**
 * The bytes of a secret.
 * @throws RangeError if it is not base64 of 16 to 256 bytes, with or without the prefix `whsec_`
 */
export function readSecret(secret: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret);
  if (!bytes || bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
    throw new RangeError(
      `secret: has to be whsec_ and base64 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`,
    );
  }
  return bytes;
}
