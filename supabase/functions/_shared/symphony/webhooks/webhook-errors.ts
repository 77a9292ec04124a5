/** Errors of webhook calls that say why a call was not made. */

import { UnrecoverableError } from "../message/errors.ts";

/**
 * The URL of a webhook call leads to a place that is not allowed: an address that is not public, another protocol,
 * or a redirect that is not followed. Never retried.
 */
export class WebhookRefusedError extends UnrecoverableError {}

/** The name of a host has no address at present. Retried as the strategy says. */
export class HostNotFoundError extends Error {
  override readonly name = "HostNotFoundError";
  /** Node's code of the same error, by which it is judged. */
  readonly code = "ENOTFOUND";
}
