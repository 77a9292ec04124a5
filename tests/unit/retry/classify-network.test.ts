/** Classification of network errors: constructed ones, and real ones of the runtime. */

import { assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { describeError } from "../../../supabase/functions/_shared/symphony/message/describe-error.ts";
import {
  type Classification,
  classifyError,
} from "../../../supabase/functions/_shared/symphony/retry/classify.ts";

const retryable: Classification = { kind: "recoverable", countsAgainstLimit: true };
const unknown: Classification = { kind: "unknown" };

function check(cases: readonly (readonly [unknown, Classification])[]): void {
  for (const [index, [error, expected]] of cases.entries()) {
    const text = `case ${index}: ${describeError(error).message}`;
    assertEquals(classifyError(error, { now: new Date() }), expected, text);
  }
}

const withFields = (fields: object) => Object.assign(new Error("x"), fields);

async function thrownBy(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

Deno.test("network errors are retryable, by name, by code, by text", () => {
  const names = [
    "ConnectionRefused",
    "ConnectionReset",
    "ConnectionAborted",
    "NotConnected",
  ] as const;
  const codes = ["ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "ENOTFOUND", "EAI_AGAIN"];
  codes.push("EHOSTUNREACH", "ECONNABORTED", "UND_ERR_SOCKET", "ERR_NETWORK", "CONNECT_TIMEOUT");
  const texts = [
    "fetch failed",
    "Failed to fetch",
    "Load failed",
    "NetworkError when attempting to fetch resource.",
    "Network connection lost.",
    "error sending request for url (http://x/): error trying to connect: tcp connect error",
    "error reading a body from connection",
    "connection closed before message completed",
    "socket hang up",
    "terminated",
  ];
  check([
    ...names.map((name) => [new Deno.errors[name]("x"), retryable] as const),
    ...[Deno.errors.BrokenPipe, Deno.errors.TimedOut, Deno.errors.UnexpectedEof].map((type) =>
      [new type("x"), retryable] as const
    ),
    ...codes.map((code) => [withFields({ code }), retryable] as const),
    ...texts.map((text) => [new TypeError(text), retryable] as const),
    ...texts.map((text) => [{ message: `TypeError: ${text}`, code: "" }, retryable] as const),
    [new Error("x", { cause: withFields({ code: "ECONNRESET" }) }), retryable],
  ]);
});

Deno.test("what the runtime itself throws is told apart: no connection from a wrong call", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const hangingUp = (async () => (await listener.accept()).close())();
  const url = `http://127.0.0.1:${port}/`;
  check([[await thrownBy(() => fetch(url)), retryable]]);
  await hangingUp;
  listener.close();
  const aborted = { signal: AbortSignal.abort() };
  const client = createClient(url, "sb_publishable_x", { db: { retry: false } });
  check([
    [await thrownBy(() => fetch(url)), retryable],
    [await thrownBy(() => Deno.connect({ hostname: "127.0.0.1", port })), retryable],
    [await thrownBy(() => fetch(url, aborted)), retryable],
    [(await client.rpc("x")).error, retryable],
    [await thrownBy(() => client.rpc("x").throwOnError()), retryable],
    [(await client.functions.invoke("x")).error, retryable],
    [(await client.storage.from("x").list()).error, retryable],
    [await thrownBy(() => fetch("no url")), unknown],
    [await thrownBy(() => fetch(url, { headers: { "a b": "c" } })), unknown],
    [await thrownBy(() => fetch(url, { body: "x" })), unknown],
  ]);
});
