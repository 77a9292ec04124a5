/** Connections to a cluster of RabbitMQ: to one node after another, and after failures less and less often. */

import amqplib, { type ChannelModel } from "amqplib";
import { showValue } from "../../runtime/inspect.ts";
import { within } from "../../runtime/within.ts";
import { type AmqpSettings, checkUrls } from "./options.ts";

/** First and longest pause after all nodes failed, in ms. */
const PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Interval of heartbeats, in s: a peer that is gone without a word is noticed after two of them. */
const HEARTBEAT_S = 5;
/** Longest time of a polite end, in ms. A broker that is low on memory or disk reads nothing. */
const CLOSE_TIMEOUT_MS = 1_000;

/** The client tells a vhost that is refused by the names of its frames, and not by the reason that the broker gives. */
const REFUSES_VHOST = /^Expected ConnectionOpenOk; got <ConnectionClose/;

/** Opens connections. */
export class Connector {
  #turn: number;
  #failures = 0;
  #retryAt = -Infinity;
  #lastError = "";

  /**
   * @param now a clock, in ms
   * @param random from 0 up to 1: of several workers each begins with another node
   */
  constructor(
    private readonly settings: Pick<AmqpSettings, "url" | "timeoutMs" | "tls">,
    private readonly now: () => number = () => performance.now(),
    private readonly random: () => number = Math.random,
  ) {
    this.#turn = Math.floor(random() * 1_000);
  }

  /**
   * Opens a connection.
   * @throws Error if no node takes one, or it is too soon to try again
   */
  async open(): Promise<ChannelModel> {
    const urls = await this.#urls();
    const waitMs = this.#retryAt - this.now();
    if (waitMs > 0) {
      throw new Error(`${this.#lastError}; is tried again in ${Math.ceil(waitMs)} ms`);
    }
    for (let tries = 0; tries < urls.length; tries++) {
      try {
        const model = await this.#openOne(urls[this.#turn % urls.length] ?? "");
        this.#failures = 0;
        return model;
      } catch (error) {
        this.#lastError = error instanceof Error ? error.message : String(error);
        this.#turn++;
      }
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** this.#failures++);
    this.#retryAt = this.now() + pauseMs * (0.5 + this.random() / 2);
    throw new Error(this.#lastError);
  }

  /** The next connection is to another node: this one does not answer. */
  avoidNode(): void {
    this.#turn++;
  }

  async #urls(): Promise<readonly string[]> {
    const { url, timeoutMs } = this.settings;
    const late = () => new Error("url: its function takes too long");
    const given = typeof url === "function" ? await within(url(), timeoutMs, late) : url;
    const urls = checkUrls(given);
    if (urls.length === 0) throw new Error("url: is missing");
    return urls;
  }

  async #openOne(url: string): Promise<ChannelModel> {
    const { timeoutMs, tls } = this.settings;
    const address = new URL(url);
    const { host } = address;
    if (!address.searchParams.has("heartbeat")) {
      address.searchParams.set("heartbeat", String(HEARTBEAT_S));
    }
    const opening = amqplib.connect(address.href, { timeout: timeoutMs, noDelay: true, ...tls });
    try {
      const late = () => new Error(`gave no answer within ${timeoutMs} ms`);
      const model = await within(opening, timeoutMs, late);
      // Each loss is seen by the channels. Without a listener it would end the process.
      model.on("error", () => {});
      return model;
    } catch (error) {
      opening.then(closeConnection, () => {});
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`${host}: ${REFUSES_VHOST.test(text) ? vhostProblem(address) : text}`);
    }
  }
}

function vhostProblem({ pathname }: URL): string {
  const name = pathname === "" ? "/" : pathname.slice(1);
  return `has no vhost ${showValue(name)}, or refuses it to this user`;
}

/** Ends a connection, and what a broker still reads of it. Never throws. */
export async function closeConnection(model: ChannelModel): Promise<void> {
  try {
    await within(model.close(), CLOSE_TIMEOUT_MS, () => new Error("takes too long"));
  } catch {
    Object(model.connection).stream?.destroy?.();
  }
}
