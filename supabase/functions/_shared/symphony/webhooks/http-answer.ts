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
const FIRST_BUFFER_BYTES = 4_096;
const MAX_INTERIM_ANSWERS = 10;
/** Longest line with the size of a chunk. */
const MAX_CHUNK_LINE = 1_024;

/** The server's answer is no HTTP/1.1, or it ended too early. Retried as the strategy says. */
export class BrokenAnswerError extends Error {
  override readonly name = "BrokenAnswerError";
}

/** Reads one answer. Every method rejects if the connection does. */
export class AnswerReader {
  /** Bytes that were read and not used are those from start to end. */
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  #headBytes = 0;
  #hasEnded = false;

  /** @param connection is read and not closed */
  constructor(private readonly connection: Readable) {}

  /**
   * Reads the head of the answer, behind interim ones (1xx).
   * @throws BrokenAnswerError if it is no HTTP/1.1 or longer than 32 KiB with the interim ones
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
      // A copy: the buffer is used again.
      const bytes = this.#pending.slice(0, rest);
      this.#start += bytes.length;
      rest -= bytes.length;
      take(bytes);
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#pending.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#pending.subarray(0, end));
        this.#start += end + 1;
        return line.trim();
      }
      if (this.#pending.length > MAX_CHUNK_LINE || !await this.#more()) return "";
    }
  }

  async #readHead(): Promise<string> {
    // A receiver may send byte by byte: what was searched is not searched again.
    for (let from = 0;;) {
      const { end, next } = searchHead(this.#pending, from);
      if (this.#headBytes + (end === null ? this.#pending.length : next) > MAX_HEAD_BYTES) {
        throw new BrokenAnswerError("the answer's head is too long");
      }
      if (end !== null) {
        const text = new TextDecoder("latin1").decode(this.#pending.subarray(0, end));
        this.#start += next;
        this.#headBytes += next;
        return text;
      }
      from = next;
      if (!await this.#more()) {
        throw new BrokenAnswerError("the connection ended before the answer");
      }
    }
  }

  get #pending(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  async #more(): Promise<boolean> {
    if (this.#hasEnded) return false;
    this.#makeRoom();
    const count = await this.connection.read(this.#buffer.subarray(this.#end));
    if (count === null) {
      this.#hasEnded = true;
      return false;
    }
    this.#end += count;
    return true;
  }

  #makeRoom(): void {
    if (this.#end < this.#buffer.length) return;
    const pending = this.#pending;
    const isFull = pending.length * 2 > this.#buffer.length;
    const buffer = isFull ? new Uint8Array(this.#buffer.length * 2) : this.#buffer;
    buffer.set(pending);
    [this.#buffer, this.#start, this.#end] = [buffer, 0, pending.length];
  }
}

/**
 * Searches the empty line behind a head.
 * @param from where to begin
 * @returns end of the head, null if it is not there; and where its body begins, or the next search
 */
function searchHead(
  bytes: Uint8Array,
  from: number,
): { readonly end: number | null; readonly next: number } {
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) {
    const second = bytes[at + 1] === 13 ? at + 2 : at + 1;
    if (second >= bytes.length) return { end: null, next: at };
    if (bytes[second] === 10) {
      return { end: bytes[at - 1] === 13 ? at - 1 : at, next: second + 1 };
    }
  }
  return { end: null, next: bytes.length };
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
