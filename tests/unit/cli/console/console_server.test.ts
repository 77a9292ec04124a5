/** The console's server over HTTP, before an API that notes its requests. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  type ConsoleOptions,
  type ConsoleServer,
  startConsole,
} from "../../../../cli/console/console-server.ts";
import { TOKEN_HEADER } from "../../../../cli/console/guard.ts";
import { PageTokens } from "../../../../cli/console/page-tokens.ts";

const SECRET_KEY = "sb_secret_of_the_test_0123456789";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly apikey: string | null;
  readonly headers: string[];
  readonly body: string;
}

/** The parts of a test. */
interface Bench {
  readonly server: ConsoleServer;
  readonly origin: string;
  /** Requests that reached the API. */
  readonly seen: Seen[];
  /** Asks as the operator's page does. */
  readonly ask: (path: string, init?: RequestInit) => Promise<Response>;
}

async function withConsole(
  run: (bench: Bench) => Promise<void>,
  { answer, ...options }: Partial<ConsoleOptions> & {
    readonly answer?: (request: Request) => Response;
  } = {},
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/index.html`, "<!DOCTYPE html><title>Console</title>");
  await Deno.writeTextFile(`${folder}/app.js`, "void 0;");
  await Deno.writeTextFile(`${folder}/secrets.env`, "A=B");
  const seen: Seen[] = [];
  const api = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      seen.push({
        method: request.method,
        path: new URL(request.url).pathname + new URL(request.url).search,
        apikey: request.headers.get("apikey"),
        headers: [...request.headers.keys()],
        body: await request.text(),
      });
      return answer?.(request) ??
        Response.json({ ok: true }, { headers: { "set-cookie": "a=b", "x-other": "1" } });
    },
  );
  try {
    await using server = await startConsole({
      url: `http://127.0.0.1:${api.addr.port}`,
      secretKey: SECRET_KEY,
      prefix: "",
      port: 0,
      folder,
      ...options,
    });
    const origin = `http://127.0.0.1:${server.port}`;
    const token = server.url.split("#token=")[1] ?? "";
    const ask = (path: string, { headers, ...init }: RequestInit = {}) =>
      fetch(origin + path, {
        ...init,
        redirect: "manual",
        headers: { [TOKEN_HEADER]: token, origin, ...headers },
      });
    await run({ server, origin, seen, ask });
  } finally {
    await api.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the token is behind the hash of the address, and no cookie is set", () =>
  withConsole(async ({ server, origin, ask }) => {
    assertMatch(server.url, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{32}$/);
    const page = await fetch(origin);
    assertEquals([page.status, page.headers.get("content-type")], [
      200,
      "text/html; charset=utf-8",
    ]);
    assertEquals(page.headers.get("set-cookie"), null);
    await page.body?.cancel();
    const token = new URL(server.url).hash.slice("#token=".length);
    for (const path of ["/config.json", "/api/queues", `/api/queues?token=${token}`]) {
      const refused = await fetch(origin + path, { headers: { cookie: `token=${token}` } });
      assertEquals([path, refused.status], [path, 401]);
      await refused.body?.cancel();
    }
    const settings = await ask("/config.json");
    assertEquals((await settings.json()).mode, "local");
  }));

Deno.test("the address that a browser is started with lets one page in", () =>
  withConsole(async ({ server, origin }) => {
    const once = server.offerUrl().split("#once=")[1] ?? "";
    assert(!server.url.includes(once));
    const enter = (headers: HeadersInit) =>
      fetch(`${origin}/session`, { method: "POST", headers: { [TOKEN_HEADER]: once, ...headers } });
    const foreign = await enter({ origin: "http://127.0.0.1:3000" });
    assertEquals([foreign.status, (await foreign.json()).code], [403, "other_origin"]);
    const entered = await enter({ origin });
    assertEquals((await entered.json()).token, server.url.split("#token=")[1]);
    const again = await enter({ origin });
    assertEquals([again.status, (await again.json()).code], [401, "no_session"]);
    const asToken = await fetch(`${origin}/api/queues`, { headers: { [TOKEN_HEADER]: once } });
    assertEquals([asToken.status, (await asToken.json()).code], [401, "no_session"]);
  }, { readOnly: true }));

Deno.test("an address that waited longer than a minute for its browser lets no page in", () => {
  let now = 0;
  const tokens = new PageTokens(() => now);
  assertEquals(tokens.exchange(""), null);
  const late = tokens.offerOnce();
  now = 60_001;
  assertEquals(tokens.exchange(late), null);
  const replaced = tokens.offerOnce();
  const offered = tokens.offerOnce();
  assertEquals([tokens.exchange(replaced), tokens.exchange(offered)], [null, tokens.session]);
});

Deno.test("each answer forbids inline scripts, frames, caches, guessing of types and referrers", () =>
  withConsole(async ({ ask, origin }) => {
    const answers = [
      await ask("/"),
      await ask("/app.js"),
      await ask("/api/queues"),
      await ask("/none"),
      await fetch(origin),
    ];
    for (const answer of answers) {
      const policy = answer.headers.get("content-security-policy") ?? "";
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
        assertStringIncludes(policy, part);
      }
      assert(!policy.includes("unsafe"), policy);
      assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
      assertEquals(answer.headers.get("referrer-policy"), "no-referrer");
      assertEquals(answer.headers.get("cache-control"), "no-store");
      assertEquals(answer.headers.get("access-control-allow-origin"), null);
      await answer.body?.cancel();
    }
  }));

Deno.test("requests reach the API with the key, without the page's token and headers", () =>
  withConsole(async ({ ask, seen }) => {
    const answer = await ask("/api/queues?limit=50&cursor=a%2Fb", { headers: { "x-mine": "1" } });
    assertEquals(await answer.json(), { ok: true });
    assertEquals([answer.headers.get("set-cookie"), answer.headers.get("x-other")], [null, null]);
    await (await ask("/api/queues", { method: "POST", body: '{"name":"mail"}' })).body?.cancel();
    assertEquals(
      seen.map(({ method, path, apikey, body }) => [method, path, apikey, body]),
      [
        ["GET", "/functions/v1/messenger/queues?limit=50&cursor=a%2Fb", SECRET_KEY, ""],
        ["POST", "/functions/v1/messenger/queues", SECRET_KEY, '{"name":"mail"}'],
      ],
    );
    const passed = seen.flatMap(({ headers }) => headers);
    for (const name of [TOKEN_HEADER, "origin", "x-mine"]) assert(!passed.includes(name), name);
  }));

Deno.test("a prefix of the functions' names is kept", () =>
  withConsole(async ({ ask, seen }) => {
    await (await ask("/api/health")).body?.cancel();
    assertEquals(seen[0]?.path, "/functions/v1/bus-messenger/health");
  }, { prefix: "bus-" }));

Deno.test("no path leads out of the function messenger, however it is written", () =>
  withConsole(async ({ server, seen, ask }) => {
    const paths = [
      ...["/api/%2e%2e/dispatch", "/api/queues/%2E%2E/%2e%2e/tick", "/api/..%2fdispatch"],
      ...[
        "/api/queues/..%5cdispatch",
        "/api//evil.example/x",
        "/api/messages/a%2fb",
        "/api/queues/a%2f..",
        "/api/.%2e/x",
      ],
    ];
    for (const path of paths) {
      const answer = await ask(path);
      assert([401, 404].includes(answer.status), `${path}: ${answer.status}`);
      await answer.body?.cancel();
    }
    // fetch resolves dots itself: a raw request does not.
    const raw = await rawRequest(server, "GET /api/../../rest/v1/messenger_messages HTTP/1.1");
    assertMatch(raw, /^HTTP\/1\.1 (401|404)/);
    assertEquals(seen, []);
  }));

Deno.test("files beside the page are not served, and none outside of its folder", () =>
  withConsole(async ({ ask }) => {
    for (const path of ["/secrets.env", "/..%2f..%2fetc/passwd", "/%2e%2e/x", "/constructor"]) {
      const answer = await ask(path);
      assertEquals([path, answer.status], [path, 404]);
      await answer.body?.cancel();
    }
  }));

Deno.test("--read-only refuses changes before they reach the API, and the page knows of it", () =>
  withConsole(async ({ ask, seen }) => {
    for (const method of ["POST", "PATCH", "DELETE"]) {
      const answer = await ask("/api/queues/mail", { method });
      assertEquals([answer.status, (await answer.json()).code], [403, "read_only"]);
    }
    assertEquals(seen, []);
    assertEquals((await (await ask("/config.json")).json()).readOnly, true);
    assertEquals((await ask("/api/queues").then((answer) => answer.json())).ok, true);
  }, { readOnly: true }));

Deno.test("an answer that holds the secret key is kept back", () =>
  withConsole(async ({ ask }) => {
    const answer = await ask("/api/queues");
    const text = await answer.text();
    assertEquals([answer.status, text.includes(SECRET_KEY)], [502, false]);
  }, { answer: () => Response.json({ key: SECRET_KEY }) }));

Deno.test("the key is in no answer of the server's own", () =>
  withConsole(async ({ ask, origin }) => {
    const paths = ["/", "/app.js", "/config.json", "/none", "/api/none%2f"];
    for (const path of paths) {
      for (const answer of [await ask(path), await fetch(origin + path)]) {
        const all = JSON.stringify([...answer.headers]) + await answer.text();
        assert(!all.includes(SECRET_KEY), path);
      }
    }
  }));

Deno.test("a redirect of the project is not followed, for the key would go along", () => {
  let followed = 0;
  const elsewhere = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    followed += 1;
    return new Response();
  });
  const target = `http://127.0.0.1:${elsewhere.addr.port}/`;
  return withConsole(async ({ ask }) => {
    const answer = await ask("/api/queues");
    assertEquals([answer.status, (await answer.json()).code], [502, "unreachable"]);
    assertEquals(followed, 0);
  }, { answer: () => Response.redirect(target) }).finally(() => elsewhere.shutdown());
});

Deno.test("a refused key and a project that is down are told apart from an ended session", async () => {
  await withConsole(async ({ ask }) => {
    const answer = await ask("/api/queues");
    assertEquals([answer.status, (await answer.json()).code], [502, "key_refused"]);
  }, { answer: () => Response.json({ code: "unauthorized" }, { status: 401 }) });
  await withConsole(async ({ ask }) => {
    const answer = await ask("/api/queues");
    assertEquals([answer.status, (await answer.json()).code], [502, "unreachable"]);
  }, { url: "http://127.0.0.1:1" });
});

Deno.test("a body that is too large is refused", () =>
  withConsole(async ({ ask, seen }) => {
    const body = "x".repeat(9 * 1024 * 1024);
    const answer = await ask("/api/queues", { method: "POST", body }).catch(() => null);
    // The connection may end before all of it is sent.
    if (answer) assertEquals([answer.status, (await answer.json()).code], [413, "too_large"]);
    assertEquals(seen, []);
  }));

Deno.test("a taken port is an error if it was asked for, and passed over otherwise", () =>
  withConsole(async ({ server }) => {
    const options = { url: "http://127.0.0.1:1", secretKey: SECRET_KEY, prefix: "" };
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/index.html`, "");
    const error = await startConsole({ ...options, folder, port: server.port }).catch((e) => e);
    assertEquals(error.code, "port_taken");
    await Deno.remove(folder, { recursive: true });
  }));

/** Sends a request line as it is. */
async function rawRequest({ port }: ConsoleServer, line: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = `${line}\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}
