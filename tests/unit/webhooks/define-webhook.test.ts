/** Webhook calls as messages: what is signed and posted, and how a response is judged. */

import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { Webhook } from "standardwebhooks";
import { defineWebhook } from "../../../supabase/functions/_shared/symphony/webhooks/define-webhook.ts";
import type { HandlerContext } from "../../../supabase/functions/_shared/symphony/message/handler.ts";
import { HttpError } from "../../../supabase/functions/_shared/symphony/message/errors.ts";
import { classifyError } from "../../../supabase/functions/_shared/symphony/retry/classify.ts";

const SECRET = `whsec_${btoa("a secret that has thirty-two byte")}`;

/** Handles one webhook call to a receiver with this answer, and returns what came there. */
async function call(answer: Response, payload: object = {}) {
  const requests: { body: string; headers: Record<string, string> }[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (r) => {
    requests.push({ body: await r.text(), headers: Object.fromEntries(r.headers) });
    return answer;
  });
  const definition = defineWebhook({ allowPrivate: ["127.0.0.1"] });
  const supabase = createClient("http://127.0.0.1:9", "sb_secret_unused", {
    global: { fetch: () => Promise.resolve(Response.json({ webhook_a: SECRET })) },
  });
  const context = {
    envelope: { id: "42", createdAt: new Date("2026-01-05T10:00:00Z"), attempts: 1 },
    signal: new AbortController().signal,
    supabase,
  } as unknown as HandlerContext;
  const [handler] = definition.handlers;
  const url = `http://127.0.0.1:${server.addr.port}/hook?token=t`;
  const parsed = definition.schema.parse({ url, event: "order.paid", data: { id: 7 }, ...payload });
  const error = await Promise.resolve(handler?.handle(parsed, context)).then(
    () => undefined,
    (e) => e,
  );
  await server.shutdown();
  return { request: requests[0], error };
}

Deno.test("a call has the form of Standard Webhooks, and its library verifies it", async () => {
  const { request, error } = await call(new Response(), { secrets: ["webhook_a"] });
  assertEquals(error, undefined);
  const { body = "", headers = {} } = request ?? {};
  assertEquals(new Webhook(SECRET).verify(body, headers), {
    type: "order.paid",
    timestamp: "2026-01-05T10:00:00.000Z",
    data: { id: 7 },
  });
  assertEquals(headers["webhook-id"], "msg_42");
});

Deno.test("a call without secrets has no signature", async () => {
  const { request } = await call(new Response());
  assertEquals(request?.headers["webhook-signature"], undefined);
});

Deno.test("a secret that Vault lacks is named", async () => {
  const { request, error } = await call(new Response(), { secrets: ["webhook_b"] });
  assertEquals([request, error.message], [
    undefined,
    "secrets: Vault has no secret named webhook_b",
  ]);
});

Deno.test("a response is judged by its status and Retry-After", async () => {
  const now = new Date();
  const judge = async (status: number, headers = {}) => {
    const { error } = await call(new Response(null, { status, headers }));
    return error instanceof HttpError ? classifyError(error, { now }) : error;
  };
  assertEquals(await judge(204), undefined);
  assertEquals((await judge(410)).kind, "unrecoverable");
  assertEquals((await judge(500)).kind, "recoverable");
  assertEquals((await judge(429, { "retry-after": "30" })).retryDelay, 30_000);
  assertEquals((await judge(302, { location: "/" })).kind, "unknown");
});

Deno.test("an error shows neither the query nor the body", async () => {
  const { error } = await call(new Response("secret text", { status: 500 }));
  assertMatch(error.message, /^HTTP 500 from http:\/\/127\.0\.0\.1:\d+\/hook$/);
});

Deno.test("a payload names secrets of webhooks only, and at most two", () => {
  const { schema } = defineWebhook();
  const url = "https://example.com/";
  const parse = (secrets: unknown) => schema.safeParse({ url, event: "e", secrets }).success;
  assertEquals(
    [["webhook_a"], ["webhook_a", "webhook_b"], ["symphony_secret_key"], [], ["webhook_"]].map(
      parse,
    ),
    [true, true, false, false, false],
  );
});

Deno.test("a payload that fits neither form has its field named", () => {
  const { schema } = defineWebhook();
  const problem = (payload: object) => {
    const [issue] = schema.safeParse(payload).error?.issues ?? [];
    return issue && [...issue.path.map(String), issue.message].join(": ");
  };
  assertEquals(problem({ url: "x", event: "e" }), "url: Invalid URL");
  assertEquals(
    problem({ url: "https://a.example", event: "e", secrets: ["x"] }),
    "secrets: 0: has to begin with webhook_",
  );
  assertEquals(problem({ endpoint: "a", eventId: "x" })?.startsWith("eventId: "), true);
  assertEquals(problem({ endpoint: "a", eventId: "1" }), undefined);
});

Deno.test("a wrong option is named", () => {
  assertThrows(
    () => defineWebhook({ secrets: ["other"] }),
    RangeError,
    "WebhookMessage: secrets: ",
  );
  assertThrows(() => defineWebhook({ allowPrivat: [] } as never), RangeError, "allowPrivat");
});
