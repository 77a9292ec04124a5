/** Reads the answer to an HTTP/1.1 request from a connection: its head, and the first bytes of its body. */

import { WebhookRefusedError } from "./webhook-errors.ts";

/** The part of a connection that is read. */
export interface Readable {
  read(buffer: Uint8Array): Promise<number | null>;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

const MAX_HEAD_BYTES = 32_768;
const MAX_INTERIM_ANSWERS = 10;
/** Longest line with the size of a chunk. */
const MAX_CHUNK_LINE = 1_024;

/** The server's answer is no HTTP/1.1, or it ended too early. Retried as the strategy says. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";
}

/** Reads one answer. Every method rejects if the connection does. */
export class AnswerReader {
  #pending = new Uint8Array(0);
  #hasEnded = false;

  /** @param connection is read and not closed */
  constructor(private readonly connection: Readable) {}

  /**
   * Reads the head of the answer, behind interim ones (1xx).
   * @throws BrokenAnswerError if it is no HTTP/1.1 or longer than 32 KiB
   */
  async head(): Promise<AnswerHead> {
    for (let interim = 0; interim <= MAX_INTERIM_ANSWERS; interim++) {
      const head = parseHead(await this.#readHead());
      if (head.status === 101) throw new WebhookRefusedError("the answer switches the protocol");
      if (head.status >= 200) return head;
    }
    throw new BrokenAnswerError("the answer is only interim");
  }

  /**
   * Reads the first bytes of the body.
   * @param max number of bytes after which it stops
   * @param take gets the bytes as they arrive, so that they are there if the rest does not come
   */
  async body(
    { status, headers }: AnswerHead,
    max: number,
    take: (bytes: Uint8Array) => void,
  ): Promise<void> {
    if (status === 204 || status === 304) return;
    const coding = headers.get("transfer-encoding");
    if (coding !== null) return await this.#chunks(max, take);
    const length = headers.get("content-length");
    await this.#some(Math.min(max, length === null ? Infinity : Number(length) || 0), take);
  }

  async #chunks(max: number, take: (bytes: Uint8Array) => void): Promise<void> {
    let rest = max;
    while (rest > 0) {
      const size = parseInt(await this.#line(), 16);
      if (!(size > 0)) return;
      await this.#some(Math.min(size, rest), take);
      rest -= size;
      if (rest > 0) await this.#line();
    }
  }

  /** Reads as many bytes, or fewer at the end of the connection. */
  async #some(count: number, take: (bytes: Uint8Array) => void): Promise<void> {
    let rest = count;
    while (rest > 0 && (this.#pending.length > 0 || await this.#more())) {
      const bytes = this.#pending.subarray(0, rest);
      this.#pending = this.#pending.subarray(bytes.length);
      rest -= bytes.length;
      take(bytes);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#pending.subarray(0, end));
        this.#pending = this.#pending.subarray(end + 1);
        return line.trim();
      }
      if (this.#pending.length > MAX_CHUNK_LINE || !await this.#more()) return "";
    }
  }

  async #readHead(): Promise<string> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#pending);
      const end = /\r?\n\r?\n/.exec(text);
      if (end) {
        this.#pending = this.#pending.subarray(end.index + end[0].length);
        return text.slice(0, end.index);
      }
      if (text.length > MAX_HEAD_BYTES) {
        throw new BrokenAnswerError("the answer's head is too long");
      }
      if (!await this.#more()) {
        throw new BrokenAnswerError("the connection ended before the answer");
      }
    }
  }

  async #more(): Promise<boolean> {
    if (this.#hasEnded) return false;
    const buffer = new Uint8Array(4_096);
    const count = await this.connection.read(buffer);
    if (count === null) {
      this.#hasEnded = true;
      return false;
    }
    const joined = new Uint8Array(this.#pending.length + count);
    joined.set(this.#pending);
    joined.set(buffer.subarray(0, count), this.#pending.length);
    this.#pending = joined;
    return true;
  }
}

function parseHead(text: string): AnswerHead {
  const [statusLine = "", ...lines] = text.split(/\r?\n/);
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new BrokenAnswerError("the answer is no HTTP/1.1");
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(":");
    try {
      if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    } catch {
      // A malformed header says nothing about the delivery.
    }
  }
  return { status, headers };
}
