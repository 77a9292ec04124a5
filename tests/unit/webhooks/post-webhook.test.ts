/** Webhook calls to receivers on this machine: redirects, limits, and addresses that are not public. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type PostLimits,
  postWebhook,
} from "../../../supabase/functions/_shared/symphony/webhooks/post-webhook.ts";
import { WebhookRefusedError } from "../../../supabase/functions/_shared/symphony/webhooks/webhook-errors.ts";

type Receive = (request: Request) => Response | Promise<Response>;

/** Serves `receive` on loopback, and posts to it. */
function receiver(receive: Receive) {
  const requests: { method: string; path: string; body: string; headers: Headers }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (r) => {
    const { pathname, search } = new URL(r.url);
    const body = await r.text();
    requests.push({ method: r.method, path: pathname + search, body, headers: r.headers });
    return await receive(r);
  });
  const host = `127.0.0.1:${server.addr.port}`;
  const post = (url = `http://${host}/hook?a=b`, limits: Partial<PostLimits> = {}) =>
    postWebhook({ url, headers: { "webhook-id": "msg_1" }, body: '{"x":"ü"}' }, {
      allowPrivate: [host],
      timeoutMs: 5_000,
      signal: new AbortController().signal,
      ...limits,
    });
  return { host, requests, post, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A certificate of its own authority for localhost and rebind.example, which serves these tests only. */
async function certificate() {
  const read = (name: string) => Deno.readTextFile(new URL(`fixtures/${name}`, import.meta.url));
  return { cert: await read("receiver.crt"), key: await read("receiver.key") };
}

Deno.test("a call posts the body, and returns status, headers and the first 1,000 bytes", async () => {
  await using it = receiver(() =>
    new Response("y".repeat(5_000), { status: 201, headers: { "x-a": "b" } })
  );
  const answer = await it.post();
  assertEquals([answer.status, answer.headers.get("x-a"), answer.text], [
    201,
    "b",
    "y".repeat(1000),
  ]);
  const [request] = it.requests;
  assertEquals([request?.method, request?.path, request?.body], ["POST", "/hook?a=b", '{"x":"ü"}']);
  assertEquals(request?.headers.get("webhook-id"), "msg_1");
  assertEquals(request?.headers.get("content-type"), "application/json");
});

Deno.test("redirects that keep the POST are followed, at most three", async () => {
  let redirects = 3;
  await using it = receiver(() =>
    redirects-- > 0
      ? Response.json(null, { status: 307, headers: { location: "/next" } })
      : new Response("ok")
  );
  assertEquals((await it.post()).text, "ok");
  assertEquals(it.requests.map(({ method, path, body }) => [method, path, body]).at(-1), [
    ...["POST", "/next", '{"x":"ü"}'],
  ]);
  redirects = 4;
  await assertRejects(() => it.post(), WebhookRefusedError, "more than 3 redirects");
});

Deno.test("a redirect that would turn the POST into a GET is an answer like any other", async () => {
  await using it = receiver(() => new Response(null, { status: 302, headers: { location: "/" } }));
  assertEquals((await it.post()).status, 302);
  assertEquals(it.requests.length, 1);
});

Deno.test("a redirect to a private address is refused, and the address is not called", async () => {
  await using target = receiver(() => new Response("secret"));
  for (
    const location of [
      ...[
        `https://${target.host}/`,
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest",
      ],
      ...[`http://${target.host}/`, "https://localhost/", "file:///etc/passwd", "//10.0.0.1/"],
    ]
  ) {
    await using it = receiver(() => new Response(null, { status: 308, headers: { location } }));
    await assertRejects(() => it.post(), WebhookRefusedError);
    assertEquals(it.requests.length, 1);
  }
  assertEquals(target.requests.length, 0);
});

Deno.test("plain HTTP, credentials and other protocols are refused", async () => {
  await using it = receiver(() => new Response());
  for (
    const url of ["http://example.com/", "https://a:b@example.com/", "ftp://example.com/", "x"]
  ) {
    await assertRejects(() => it.post(url), WebhookRefusedError, "url: ");
  }
});

Deno.test("a name that leads elsewhere at its next look-up is looked up once a call", async () => {
  const { cert, key } = await certificate();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    () => new Response("the checked address"),
  );
  let lookUps = 0;
  const post = () =>
    postWebhook({ url: `https://rebind.example:${server.addr.port}/`, headers: {}, body: "{}" }, {
      // Loopback stands for the public address of the first look-up.
      allowPrivate: ["127.0.0.1"],
      lookUp: () => Promise.resolve([lookUps++ === 0 ? "127.0.0.1" : "169.254.169.254"]),
      caCerts: [cert],
      timeoutMs: 5_000,
      signal: new AbortController().signal,
    });
  assertEquals((await post()).text, "the checked address");
  assertEquals(lookUps, 1);
  await assertRejects(post, WebhookRefusedError, "rebind.example leads to 169.254.169.254");
  await server.shutdown();
});

Deno.test("a name that cannot be looked up is connected to, and nothing is sent to a private address", async () => {
  const bytes: number[] = [];
  const listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const accepted = listener.accept().then(async (connection) => {
    bytes.push(await connection.read(new Uint8Array(100)) ?? 0);
    connection.close();
  });
  const controller = new AbortController();
  await assertRejects(
    () =>
      postWebhook({
        // Resolved by the machine itself to a loopback address, as a name may be that changes its address.
        url: `https://${Deno.hostname()}:${listener.addr.port}/`,
        headers: {},
        body: "{}",
      }, {
        allowPrivate: [],
        lookUp: () => Promise.resolve(undefined),
        timeoutMs: 5_000,
        signal: controller.signal,
      }),
    WebhookRefusedError,
    "is not a public address",
  );
  await accepted;
  listener.close();
  assertEquals(bytes, [0]);
});

Deno.test("a receiver that is silent, or sends its head byte by byte, meets the limit of time", async () => {
  for (const first of ["", "HTTP/1.1 2"]) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const held: Deno.Conn[] = [];
    const accepted = listener.accept().then(async (connection) => {
      held.push(connection);
      if (first) await connection.write(new TextEncoder().encode(first));
    });
    const host = `127.0.0.1:${listener.addr.port}`;
    const error = await assertRejects(() =>
      postWebhook({ url: `http://${host}/`, headers: {}, body: "{}" }, {
        allowPrivate: [host],
        timeoutMs: 50,
        signal: new AbortController().signal,
      })
    );
    assertEquals((error as Error).name, "TimeoutError");
    await accepted;
    for (const connection of held) connection.close();
    listener.close();
  }
});

Deno.test("a body that does not come leaves the status", async () => {
  await using it = receiver(() =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode("begun")),
      }),
    )
  );
  const answer = await it.post();
  assertEquals([answer.status, answer.text], [200, "begun"]);
});

Deno.test("an abort ends a call, with the signal's reason", async () => {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  await using it = receiver(async () => {
    controller.abort(new Error("the worker ends"));
    await promise;
    return new Response();
  });
  await assertRejects(
    () => it.post(undefined, { signal: controller.signal }),
    Error,
    "the worker ends",
  );
  resolve();
});

Deno.test("TLS verifies the certificate for the name, though the address is pinned", async () => {
  const { cert, key } = await certificate();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    () => new Response("over TLS"),
  );
  const port = server.addr.port;
  const post = (host: string, caCerts?: readonly string[]) =>
    postWebhook({ url: `https://${host}:${port}/`, headers: {}, body: "{}" }, {
      allowPrivate: ["127.0.0.1", "localhost"],
      timeoutMs: 5_000,
      signal: new AbortController().signal,
      ...(caCerts && { caCerts }),
    });
  assertEquals((await post("localhost", [cert])).text, "over TLS");
  const error = await assertRejects(() => post("127.0.0.1", [cert]));
  assertStringIncludes(String(error), "ertificate");
  await assertRejects(() => post("localhost"));
  await server.shutdown();
});

Deno.test("an address that accepts and stays silent leaves time for the next one", async () => {
  const { cert, key } = await certificate();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    () => new Response("from the second"),
  );
  const { port } = server.addr;
  // The kernel accepts for it, and nothing reads.
  using _silent = Deno.listen({ hostname: "127.0.0.2", port });
  const answer = await postWebhook(
    { url: `https://rebind.example:${port}/`, headers: {}, body: "{}" },
    {
      allowPrivate: ["127.0.0.1", "127.0.0.2"],
      lookUp: () => Promise.resolve(["127.0.0.2", "127.0.0.1"]),
      timeoutMs: 2_000,
      signal: new AbortController().signal,
      caCerts: [cert],
    },
  );
  assertEquals(answer.text, "from the second");
  await server.shutdown();
});
