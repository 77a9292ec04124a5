/** How the local stack runs functions: as the hosted platform does, its limits included. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Stack } from "../../local/stack.ts";
import { createLocalProject, isRunning } from "../support/local_project.ts";
import { eventually } from "../support/stack.ts";

/** Does what its path says; `told` is where it reports to. */
const OPEN = `
  import { word } from "../_messages/mod.ts";
  const told = Deno.env.get("TOLD");
  addEventListener("beforeunload", (event) =>
    EdgeRuntime.waitUntil(fetch(told + "/unloaded-" + event.detail.reason)));
  export default {
    async fetch(request) {
      const url = new URL(request.url);
      switch (url.pathname) {
        case "/open/echo":
          return new Response(request.body, { status: 201, headers: { "x-method": request.method, "x-query": url.search } });
        case "/open/env":
          return Response.json(Deno.env.toObject());
        case "/open/word":
          return new Response(word);
        case "/open/throw":
          throw new Error("thrown by the handler");
        case "/open/background":
          EdgeRuntime.waitUntil(new Promise((resolve) => setTimeout(resolve, 100)).then(() => fetch(told + "/background")));
          return new Response("accepted", { status: 202 });
        case "/open/hang":
          await fetch(told + "/hanging");
          return await new Promise(() => {});
        case "/open/work": {
          const end = performance.now() + 20;
          while (performance.now() < end) { /* uses CPU time */ }
          return new Response(String(Deno.pid));
        }
        case "/open/hold": {
          const held = [];
          for (;;) {
            held.push(new Uint8Array(4_000_000).fill(1));
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        }
        case "/open/heap": {
          const held = [];
          for (;;) {
            held.push(new Array(500_000).fill(0.5));
            await new Promise((resolve) => setTimeout(resolve, 1));
          }
        }
        case "/open/some":
          globalThis.some = new Uint8Array(168_000_000).fill(1);
          return new Response(String(Deno.pid));
        case "/open/burn":
          for (;;) { /* uses up its CPU time */ }
      }
      return new Response("fine");
    },
  };
`;

const project = await createLocalProject({
  open: OPEN,
  closed: `Deno.serve((request) => new Response(request.headers.get("authorization")));`,
  broken: `throw new Error("broken at boot");`,
  _shared: `export default { fetch: () => new Response("not a function") };`,
});
await project.write("supabase/functions/_messages/mod.ts", `export const word = "deployed";`);
await project.write("other/mod.ts", `export const word = "of the test";`);

/** Messages that functions sent to the outside. */
const told: string[] = [];
const lines: string[] = [];
let stack: Stack;
let outside: Deno.HttpServer<Deno.NetAddr>;

Deno.test.beforeAll(async () => {
  outside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    told.push(new URL(request.url).pathname);
    return new Response(null);
  });
  stack = await project.start({
    env: { TOLD: `http://127.0.0.1:${outside.addr.port}` },
    messages: `${project.dir}/other`,
    limits: { cpuMs: 600, wallMs: 40_000 },
    log: (line) => lines.push(line),
  });
});
Deno.test.afterAll(async () => {
  await stack.stop();
  await outside.shutdown();
  await project.remove();
});

/** The stack lives on from test to test. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

function call(path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${stack.url}/functions/v1/${path}`, init);
}

async function answer(path: string, init: RequestInit = {}): Promise<[number, unknown]> {
  const response = await call(path, init);
  const text = await response.text();
  return [response.status, text.startsWith("{") ? JSON.parse(text).code : text];
}

function untilTold(what: string): Promise<unknown> {
  return eventually(() => Promise.resolve(told), (paths) => paths.includes(what));
}

test("a function sees the path from its name on, the query, the method and the body", async () => {
  const body = "x".repeat(1_000_000);
  const response = await call("open/echo?a=1", { method: "PUT", body });
  assertEquals(response.status, 201);
  assertEquals(response.headers.get("x-method"), "PUT");
  assertEquals(response.headers.get("x-query"), "?a=1");
  assertEquals(await response.text(), body);
});

test("a function has a hosted function's variables, and none of this machine's", async () => {
  Deno.env.set("SECRET_OF_THIS_MACHINE", "1");
  const env: Record<string, string> = await (await call("open/env")).json();
  Deno.env.delete("SECRET_OF_THIS_MACHINE");
  assertEquals(env.SUPABASE_URL, stack.url);
  assertEquals(JSON.parse(env.SUPABASE_SECRET_KEYS ?? ""), { default: stack.secretKey });
  assertEquals(JSON.parse(env.SUPABASE_PUBLISHABLE_KEYS ?? ""), { default: stack.publishableKey });
  assertEquals(JSON.parse(env.SUPABASE_JWKS ?? ""), JSON.parse(JSON.stringify(stack.jwks)));
  assertEquals(env.SUPABASE_DB_URL, stack.dbUrl);
  assert(env.SB_EXECUTION_ID);
  assertEquals(env.SECRET_OF_THIS_MACHINE, undefined);
});

test("another folder can take the place of _messages", async () => {
  assertEquals(await answer("open/word"), [200, "of the test"]);
});

test("where verify_jwt is on, a function is called with a valid JWT only", async () => {
  const authorization = `Bearer ${await stack.mintUserJwt()}`;
  assertEquals(await answer("closed", { headers: { authorization } }), [200, authorization]);
  const expired = `Bearer ${await stack.mintUserJwt({ expiresInS: -60 })}`;
  assertEquals(await answer("closed", { headers: { authorization: expired } }), [401, 401]);
  assertEquals(
    await answer("closed", { headers: { authorization: `Bearer ${stack.secretKey}` } }),
    [401, 401],
  );
  assertEquals(await answer("closed"), [401, 401]);
});

test("what is no function is answered 404, and one that does not boot 503", async () => {
  const headers = { authorization: `Bearer ${await stack.mintUserJwt()}` };
  assertEquals(await answer("missing", { headers }), [404, "NOT_FOUND"]);
  assertEquals(await answer("_shared", { headers }), [404, "NOT_FOUND"]);
  assertEquals(await answer("broken", { headers }), [503, "BOOT_ERROR"]);
  assert(lines.some((line) => line.startsWith("[broken] ") && line.includes("broken at boot")));
});

test("a method that cannot be passed on is answered 405, and reaches no function", async () => {
  for (const [method, path] of [["TRACE", "/functions/v1/open"], ["TRACK", "/rest/v1/t"]]) {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: stack.port });
    const request = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    assertEquals(answer.slice(0, 12), "HTTP/1.1 405", method);
  }
});

test("a handler that throws responds with 500, and its process continues", async () => {
  const pid = stack.functionPid("open");
  assertEquals((await answer("open/throw"))[0], 500);
  assertEquals(stack.functionPid("open"), pid);
  assert(
    lines.some((line) => line.startsWith("[open] ") && line.includes("thrown by the handler")),
  );
});

test("background work outlives the answer", async () => {
  assertEquals(await answer("open/background"), [202, "accepted"]);
  await untilTold("/background");
});

test("requests to a process that is killed are answered 502, and the next request starts another", async () => {
  const pid = stack.functionPid("open");
  const hanging = answer("open/hang");
  await untilTold("/hanging");
  await stack.killFunction("open");
  assertEquals(await hanging, [502, "WORKER_ERROR"]);
  assertEquals(await answer("open"), [200, "fine"]);
  assertNotEquals(stack.functionPid("open"), pid);
});

test("a process that uses up its CPU time is killed, and answered 546", async () => {
  assertEquals(await answer("open/burn"), [546, "WORKER_LIMIT"]);
  assertEquals(stack.limitKills, [{ name: "open", limit: "cpuMs" }]);
  assertEquals(await answer("open"), [200, "fine"]);
});

test("a process that has used half its time gets no more requests, and ends when it has no more to do", async () => {
  await stack.killFunction("open");
  const kills = stack.limitKills.length;
  const first = String((await answer("open/work"))[1]);
  await answer("open/background");
  const toldBefore = told.length;
  await eventually(() => answer("open/work"), ([, pid]) => pid !== first);
  await eventually(() => Promise.resolve(isRunning(Number(first))), (runs) => !runs);
  assertEquals(told.slice(toldBefore).includes("/background"), true);
  assertEquals(stack.limitKills.length, kills);
});

test("a process that is asked to end is told why, and may finish what it does then", async () => {
  await stack.killFunction("open", "SIGTERM");
  assertEquals(told.filter((path) => path.startsWith("/unloaded")), ["/unloaded-termination"]);
});

test("a process that exceeds its wall clock is killed, and answered 546", async () => {
  const other = await createLocalProject({ open: OPEN });
  await other.write("supabase/functions/_messages/mod.ts", `export const word = "";`);
  const limited = await other.start({
    env: { TOLD: `http://127.0.0.1:${outside.addr.port}` },
    limits: { wallMs: 2000 },
    warmUp: true,
  });
  const response = await fetch(`${limited.url}/functions/v1/open/hang`);
  assertEquals([response.status, (await response.json()).code], [546, "WORKER_LIMIT"]);
  await limited.stop();
  await other.remove();
});

test("a process that exceeds its memory is killed, answered 546 and told in the log; before, it retires", async () => {
  const other = await createLocalProject({ open: OPEN });
  await other.write("supabase/functions/_messages/mod.ts", `export const word = "";`);
  const said: string[] = [];
  const limited = await other.start({
    env: { TOLD: `http://127.0.0.1:${outside.addr.port}` },
    limits: { memoryMb: 200 },
    warmUp: true,
    log: (line) => said.push(line),
  });
  const ask = (path: string) => fetch(`${limited.url}/functions/v1/open/${path}`);
  for (const path of ["hold", "heap"]) {
    const response = await ask(path);
    assertEquals([path, response.status, (await response.json()).code], [
      path,
      546,
      "WORKER_LIMIT",
    ]);
  }
  assertEquals(limited.limitKills, [
    { name: "open", limit: "memoryMb" },
    { name: "open", limit: "memoryMb" },
  ]);
  assert(said.some((line) => line.startsWith("[open] ") && line.includes("memoryMb 200")));

  const first = await (await ask("some")).text();
  await eventually(() => Promise.resolve(isRunning(Number(first))), (runs) => !runs);
  assertEquals(await (await ask("")).text(), "fine");
  assertEquals(limited.limitKills.length, 2);
  await limited.stop();
  await other.remove();
});
