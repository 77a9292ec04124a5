/** The guard of the console's server lets the operator's own page in, and no other page of the browser. */

import { assertEquals } from "@std/assert";
import { type Gate, judge, TOKEN_HEADER } from "../../../../cli/console/guard.ts";

const GATE: Gate = { port: 4983, token: "secret-token", isReadOnly: false };
const OWN = { host: "127.0.0.1:4983", [TOKEN_HEADER]: GATE.token };

/** The code of the refusal; null: the request is let in. */
function codeOf(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  gate = GATE,
): string | null {
  return judge({ method, path, header: (name) => headers[name] }, gate)?.code ?? null;
}

Deno.test("the operator's page reads and changes", () => {
  const page = { ...OWN, "sec-fetch-site": "same-origin", origin: "http://127.0.0.1:4983" };
  assertEquals(codeOf("GET", "/api/queues", page), null);
  assertEquals(codeOf("POST", "/api/queues/mail/pause", page), null);
  const local = { ...page, host: "localhost:4983", origin: "http://localhost:4983" };
  assertEquals(codeOf("DELETE", "/api/queues/mail", local), null);
});

Deno.test("a name that leads to 127.0.0.1 is refused, also with the token", () => {
  for (const host of ["evil.example:4983", "127.0.0.1", "127.0.0.1:4984", "", "[::1]:4983"]) {
    assertEquals(codeOf("GET", "/", { ...OWN, host }), "wrong_host", host);
  }
});

Deno.test("another site's page reads nothing and changes nothing, even with the token", () => {
  for (const site of ["cross-site", "same-site", "none"]) {
    const headers = { ...OWN, "sec-fetch-site": site, "sec-fetch-mode": "cors" };
    assertEquals(codeOf("GET", "/api/queues", headers), "other_origin", site);
    assertEquals(codeOf("POST", "/api/queues/mail/pause", headers), "other_origin", site);
    assertEquals(codeOf("GET", "/app.js", headers), "other_origin", site);
  }
});

Deno.test("a page at another port of this machine is another site", () => {
  const headers = { ...OWN, origin: "http://127.0.0.1:3000" };
  assertEquals(codeOf("GET", "/api/queues", headers), "other_origin");
  assertEquals(codeOf("POST", "/api/prune", headers), "other_origin");
  const claimed = { ...headers, "sec-fetch-site": "same-origin" };
  assertEquals(codeOf("POST", "/api/prune", claimed), "other_origin");
});

Deno.test("a form of another site that navigates here changes nothing", () => {
  const headers = { ...OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assertEquals(codeOf("POST", "/", headers), "other_origin");
  assertEquals(codeOf("POST", "/api/prune", headers), "other_origin");
  assertEquals(codeOf("GET", "/api/queues", headers), "other_origin");
});

Deno.test("a link of another site opens the page, which has nothing without the token", () => {
  const headers = {
    host: OWN.host,
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
  };
  assertEquals(codeOf("GET", "/", headers), null);
  assertEquals(codeOf("GET", "/config.json", headers), "no_session");
});

Deno.test("a change without any word of the browser about its origin is refused", () => {
  assertEquals(codeOf("POST", "/api/queues/mail/pause", OWN), "other_origin");
  assertEquals(codeOf("GET", "/api/queues", OWN), null);
});

Deno.test("without the token, or with another one, nothing of the project is told or changed", () => {
  const page = { host: OWN.host, "sec-fetch-site": "same-origin" };
  for (const token of ["", "secret-toke", "secret-token2", "Secret-token"]) {
    const headers = { ...page, [TOKEN_HEADER]: token };
    for (const path of ["/config.json", "/api", "/api/queues", "/apis"]) {
      assertEquals(codeOf("GET", path, headers), "no_session", token);
    }
    assertEquals(codeOf("POST", "/", headers), "no_session", token);
  }
  assertEquals(codeOf("GET", "/api/queues", page), "no_session");
  assertEquals(codeOf("GET", "/api/queues", { ...page, ...OWN }), null);
  for (const path of ["/", "/app.js"]) assertEquals(codeOf("GET", path, page), null);
});

Deno.test("a cookie is no token, because the browser sends it to every port", () => {
  const cookie = `symphony_console_4983=${GATE.token}; ${TOKEN_HEADER}=${GATE.token}`;
  assertEquals(codeOf("GET", "/api/queues", { host: OWN.host, cookie }), "no_session");
});

Deno.test("--read-only lets GET and HEAD in, and nothing else", () => {
  const gate = { ...GATE, isReadOnly: true };
  const page = { ...OWN, "sec-fetch-site": "same-origin" };
  for (const method of ["GET", "HEAD"]) {
    assertEquals(codeOf(method, "/api/queues", page, gate), null);
  }
  for (const method of ["POST", "PATCH", "PUT", "DELETE", "OPTIONS", "get"]) {
    assertEquals(codeOf(method, "/api/queues", page, gate), "read_only", method);
  }
});
