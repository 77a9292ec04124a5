/** The answer to a webhook call, read from a connection that gives it in pieces. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AnswerReader,
  BrokenAnswerError,
} from "../../../supabase/functions/_shared/symphony/webhooks/http-answer.ts";

/** Reads a whole answer that comes in pieces of `size` bytes. */
async function read(text: string, { size = Infinity, max = 1000 } = {}) {
  let rest = new TextEncoder().encode(text);
  const reader = new AnswerReader({
    read: (buffer) => {
      if (rest.length === 0) return Promise.resolve(null);
      const count = Math.min(size, buffer.length, rest.length);
      buffer.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return Promise.resolve(count);
    },
  });
  const head = await reader.head();
  let body = "";
  await reader.body(head, max, (bytes) => body += new TextDecoder().decode(bytes));
  return { status: head.status, headers: head.headers, body };
}

Deno.test("an answer is the same in pieces of any size", async () => {
  for (const size of [1, 2, 3, 7, 4096]) {
    const answer = await read(
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello, and more",
      { size },
    );
    assertEquals([answer.status, answer.headers.get("x-a"), answer.body], [200, "b", "hello"]);
    const chunked = await read(
      "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
      { size },
    );
    assertEquals([chunked.status, chunked.body], [500, "hello"]);
  }
});

Deno.test("a body without a length ends with the connection, and no more than wanted is read", async () => {
  assertEquals((await read("HTTP/1.0 404 Not Found\r\n\r\nnothing here")).body, "nothing here");
  assertEquals(
    (await read(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(5000)}`, { max: 10 })).body.length,
    10,
  );
  const chunks = `fffffff\r\n${"y".repeat(5000)}`;
  const text = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
  assertEquals((await read(text, { max: 10 })).body, "y".repeat(10));
  assertEquals((await read("HTTP/1.1 204 No Content\r\n\r\nnot a body")).body, "");
});

Deno.test("interim responses are passed over, and lines may end with a line feed alone", async () => {
  const text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\nlink: x\n\nHTTP/1.1 202 Yes\n\nok";
  assertEquals((await read(text)).status, 202);
});

Deno.test("what is no answer is an error that may pass", async () => {
  for (
    const text of [
      ...["", "SSH-2.0-OpenSSH_9\r\n", "SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/2 200\r\n\r\n"],
      ...["HTTP/1.1 20\r\n\r\n", "HTTP/1.1 200 OK\r\nx: y\r\n", "x".repeat(50_000)],
      "HTTP/1.1 100 Continue\r\n\r\n".repeat(20),
    ]
  ) await assertRejects(() => read(text), BrokenAnswerError);
});

Deno.test("the heads of interim responses count towards the longest head", async () => {
  const hint = `HTTP/1.1 103 Hints\r\nlink: ${"x".repeat(10_000)}\r\n\r\n`;
  const last = "HTTP/1.1 200 OK\r\n\r\n";
  for (const size of [1, 4096, Infinity]) {
    assertEquals((await read(hint.repeat(3) + last, { size })).status, 200);
    await assertRejects(() => read(hint.repeat(4) + last, { size }), BrokenAnswerError);
  }
});

Deno.test("a head that comes byte by byte is searched once", async () => {
  const { indexOf } = Uint8Array.prototype;
  const { decode } = TextDecoder.prototype;
  let looked = 0;
  try {
    Uint8Array.prototype.indexOf = function (value, from = 0) {
      looked += this.length - from;
      return indexOf.call(this, value, from);
    };
    TextDecoder.prototype.decode = function (bytes, options) {
      looked += bytes?.byteLength ?? 0;
      return decode.call(this, bytes, options);
    };
    await read(`HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(5_000)}\r\n`, { size: 1 });
  } finally {
    Uint8Array.prototype.indexOf = indexOf;
    TextDecoder.prototype.decode = decode;
  }
  assert(looked < 200_000, `${looked} bytes for 30,000`);
});

Deno.test("malformed headers, lengths and chunks do no harm", async () => {
  const answer = await read("HTTP/1.1 200 OK\r\nno colon\r\n: x\r\na b: c\r\nx: y\r\n\r\n");
  assertEquals([...answer.headers], [["x", "y"]]);
  assertEquals((await read("HTTP/1.1 200 OK\r\ncontent-length: much\r\n\r\nabc")).body, "");
  assertEquals(
    (await read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc")).body,
    "",
  );
});
