/** Bodies, preflights and methods at the HTTP edge: the same for all three functions. */

import { assert, assertEquals } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const note = { type: "Note", payload: { text: "hello" } };

/** A path of each function that takes a body, and a body that it takes. */
const doors: [string, string, number][] = [
  ["dispatch", JSON.stringify(note), 202],
  ["tick", '{"queues":["none"]}', 200],
  ["messenger/messages/cancel", '{"type":"Note","dryRun":true}', 200],
];

async function send(
  stack: TestStack,
  path: string,
  body: BodyInit | null,
  headers: Record<string, string>,
) {
  const response = await fetch(`${stack.url}/functions/v1/${path}`, {
    method: "POST",
    headers: { apikey: stack.secretKey, ...headers },
    body,
  });
  const { code, message } = await response.json();
  return { status: response.status, code, message: String(message) };
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

async function gzip(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(stream).arrayBuffer();
}

const json = { "content-type": "application/json" };

testsOnStack({ env: { SYMPHONY_MAX_BODY_BYTES: "100000" } }, (test) => {
  for (const [path, body, status] of doors) {
    test(`${path}: a compressed body is refused as such`, async (stack) => {
      for (const encoding of ["gzip", "GZIP", "br", "identity, gzip"]) {
        const refused = await send(stack, path, await gzip(body), {
          ...json,
          "content-encoding": encoding,
        });
        assertEquals([refused.status, refused.code], [415, "unsupported_media_type"]);
        assert(refused.message.startsWith("content-encoding: "), refused.message);
      }
    });

    test(`${path}: a body of another type or charset is refused with its content type`, async (stack) => {
      for (
        const type of [
          "text/plain",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
          "application/jsonp",
          "application/json; charset=utf-16",
          "application/json; charset=iso-8859-1",
        ]
      ) {
        const refused = await send(stack, path, bytes(body), { "content-type": type });
        assertEquals([refused.status, refused.code], [415, "unsupported_media_type"], type);
        assert(refused.message.startsWith("content-type: "), refused.message);
      }
    });

    test(`${path}: JSON by any of its names is taken, with a byte order mark too`, async (stack) => {
      for (
        const type of ["application/json", "Application/JSON; charset=UTF-8", "application/a+json"]
      ) {
        const taken = await send(stack, path, bytes(body), { "content-type": type });
        assertEquals(taken.status, status, taken.message);
      }
      const untyped = await send(stack, path, bytes(`\ufeff${body}`), {});
      assertEquals(untyped.status, status, untyped.message);
    });

    test(`${path}: bytes that are no UTF-8 are refused as such`, async (stack) => {
      const body = new Uint8Array([...bytes('{"type":"'), 0xff, 0xfe, ...bytes('"}')]);
      const refused = await send(stack, path, body, json);
      assertEquals([refused.status, refused.code, refused.message], [
        400,
        "malformed_json",
        "The body is not UTF-8",
      ]);
    });

    test(`${path}: a body that comes in pieces is held to the limit`, async (stack) => {
      const piece = bytes(" ".repeat(10_000));
      let pieces = 0;
      const endless = new ReadableStream({
        pull: (controller) => pieces++ < 50 ? controller.enqueue(piece) : controller.close(),
      });
      const refused = await send(stack, path, endless, json);
      assertEquals([refused.status, refused.code], [413, "body_too_large"]);
    });

    test(`${path}: a preflight is given the headers it asks for, and may be kept`, async (stack) => {
      const preflight = async (requested: string) => {
        const response = await fetch(`${stack.url}/functions/v1/${path}`, {
          method: "OPTIONS",
          headers: {
            origin: "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": requested,
          },
        });
        await response.body?.cancel();
        const allowed = response.headers.get("access-control-allow-headers") ?? "";
        return { response, allowed: allowed.toLowerCase().split(/\s*,\s*/) };
      };
      const { response, allowed } = await preflight("authorization, x-region,X-My-Trace");
      assertEquals(response.status, 204);
      for (const name of ["authorization", "apikey", "content-type", "x-region", "x-my-trace"]) {
        assert(allowed.includes(name), name);
      }
      assert(Number(response.headers.get("access-control-max-age")) >= 600);
      const odd = await preflight(`no token, ${"x".repeat(101)}, <b>, ok`);
      assertEquals(odd.allowed.filter((name) => /token|xxx|<b>/.test(name)), []);
      assert(odd.allowed.includes("ok"));
    });

    test(`${path}: another method is refused with those that there are`, async (stack) => {
      for (const method of ["PUT", "DELETE"]) {
        const response = await fetch(`${stack.url}/functions/v1/${path}`, {
          method,
          headers: { apikey: stack.secretKey },
        });
        await response.body?.cancel();
        const allow = response.headers.get("allow")?.split(", ") ?? [];
        assertEquals([response.status, allow.includes("POST"), allow.includes("OPTIONS")], [
          405,
          true,
          true,
        ]);
      }
    });
  }

  const lossy: [string, string, unknown[]][] = [
    ["alone", '{"type":"Note","payload":{"orderId": 1970670598291982290}}', ["payload", "orderId"]],
    ["in an array", '[{"type":"Note","payload":{"n":[1e400]}}]', [0, "payload", "n", 0]],
    ["exact, but beyond 2^53", '{"type":"Note","payload":{"n":9007199254740992}}', [
      "payload",
      "n",
    ]],
    [
      "in a schedule",
      '{"type":"Note","payload":{"n":0.12345678901234567890},"schedule":{"type":"cron","config":{"cron":"@daily"}}}',
      ["payload", "n"],
    ],
  ];
  for (const [where, body, path] of lossy) {
    test(`a number that would be changed is refused with its path: ${where}`, async (stack) => {
      const response = await stack.post("dispatch", body);
      const { code, issues } = await response.json();
      assertEquals([response.status, code, issues[0].path], [400, "invalid_payload", path]);
      assertEquals(await stack.count(), 0);
    });
  }

  test("a number that would be changed is refused by the management API", async (stack) => {
    for (const path of ["failed-messages/1/redrive", "schedules"]) {
      const response = await stack.post(
        `messenger/${path}`,
        '{"payload":{"id":12345678901234567890}}',
      );
      const { issues } = await response.json();
      assertEquals([response.status, issues[0].path], [400, ["payload", "id"]], path);
    }
  });

  test("a key that stands twice is refused with its path", async (stack) => {
    const response = await stack.post("dispatch", '{"type":"Note","type":"Open","payload":{}}');
    const { code, issues } = await response.json();
    assertEquals([response.status, code, issues[0].path], [400, "invalid_request", ["type"]]);
  });
});
