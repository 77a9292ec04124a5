/** The guard of the console's server lets the operator's own page in, and no other page of the browser. */

import { assertEquals } from "@std/assert";
import { cookieName, type Gate, judge } from "../../../../cli/console/guard.ts";

const GATE: Gate = { port: 4983, token: "secret-token", isReadOnly: false };
const COOKIE = `${cookieName(GATE)}=${GATE.token}`;
const OWN = { host: "127.0.0.1:4983", cookie: COOKIE };

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

Deno.test("another site's page reads nothing and changes nothing, even with the cookie", () => {
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

Deno.test("a link of another site opens the page, but only with the cookie", () => {
  const headers = { ...OWN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assertEquals(codeOf("GET", "/", headers), null);
  assertEquals(codeOf("GET", "/", { ...headers, cookie: "" }), "no_session");
});

Deno.test("a change without any word of the browser about its origin is refused", () => {
  assertEquals(codeOf("POST", "/api/queues/mail/pause", OWN), "other_origin");
  assertEquals(codeOf("GET", "/api/queues", OWN), null);
});

Deno.test("without the token's cookie, or with another one, nothing is served", () => {
  const page = { host: OWN.host, "sec-fetch-site": "same-origin" };
  for (
    const cookie of [
      "",
      `${cookieName(GATE)}=`,
      `${cookieName(GATE)}=secret-toke`,
      `${cookieName(GATE)}=secret-token2`,
      `symphony_console_4984=${GATE.token}`,
      `x${COOKIE}`,
    ]
  ) {
    for (const path of ["/", "/config.json", "/api/queues", "/app.js"]) {
      assertEquals(codeOf("GET", path, { ...page, cookie }), "no_session", cookie);
    }
  }
  assertEquals(codeOf("GET", "/", { ...page, cookie: `a=b; ${COOKIE}; c=d` }), null);
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
