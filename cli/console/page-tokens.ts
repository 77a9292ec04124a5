/** The texts that let the operator's page in: the session's token, and one that can be exchanged for it once. */

import { randomBytes } from "node:crypto";
import { isSame } from "./guard.ts";

/** Longest time between the start of the browser and the exchange, in ms. */
const ONCE_MS = 60_000;

/** The tokens of one server. */
export class PageTokens {
  /** Valid as long as the server runs. */
  readonly session: string = randomBytes(24).toString("base64url");
  #once: { readonly token: string; readonly until: number } | null = null;

  /** @param now in ms since 1970 */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Makes a token for the command line of a browser, which other users of the machine can read: it is exchanged once,
   * within a minute. It replaces the one before.
   */
  offerOnce(): string {
    const token = randomBytes(24).toString("base64url");
    this.#once = { token, until: this.now() + ONCE_MS };
    return token;
  }

  /** The session's token for one of `offerOnce`; null if it was used, is too old, or is another text. */
  exchange(given: string): string | null {
    const offered = this.#once;
    if (!offered || !isSame(given, offered.token)) return null;
    this.#once = null;
    return this.now() <= offered.until ? this.session : null;
  }
}
