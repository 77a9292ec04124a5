/** Functions that take in webhooks: real signatures by the senders' libraries, on the transport in memory. */

import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { sign as signGithub } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { z } from "zod";
import { webhookApp } from "../../../supabase/functions/_shared/symphony/http/webhook-app.ts";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/message/define-message.ts";
import { createMessenger } from "../../../supabase/functions/_shared/symphony/messenger.ts";
import { readConfig } from "../../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import type { IncomingWebhookOptions } from "../../../supabase/functions/_shared/symphony/webhooks/incoming-options.ts";
import {
  verifyGithub,
  verifyStandardWebhooks,
  verifyStripe,
  verifySvix,
  type WebhookScheme,
} from "../../../supabase/functions/_shared/symphony/webhooks/incoming-scheme.ts";

const OURS = `whsec_${btoa("our secret, which has 32 bytes !")}`;
const NEXT = `whsec_${btoa("the next one, it has 32 bytes !!")}`;
const OTHER = `whsec_${btoa("a secret of another one, 32 byte")}`;
const body = JSON.stringify({ id: "evt_1", type: "order.paid", data: { sum: "12,50 €" } });

const Received = defineMessage({ type: "Received", schema: z.looseObject({}), handler: () => {} });

/** A function with its messages in memory; `at` moves its clock, in ms. */
function receiver(
  options: Partial<IncomingWebhookOptions<typeof Received.schema>>,
  transport = new InMemoryTransport(),
) {
  const lines: string[] = [];
  const clock = { at: 0 };
  const messenger = createMessenger({
    supabase: createClient("http://127.0.0.1:9", "sb_secret_unused"),
    messages: [Received],
    transport,
    config: readConfig(() => undefined, { maxBodyBytes: 10_000 }),
    log: createLogger({ level: "debug", write: (_level, line) => lines.push(line) }),
  });
  const verify = verifyStandardWebhooks({ secrets: [OURS] });
  const app = webhookApp(
    messenger,
    { verify, message: Received, ...options },
    () => new Date(Date.now() + clock.at),
  );
  const post = async (headers: HeadersInit, content: BodyInit = body, method = "POST") => {
    const response = await app.fetch(
      new Request("https://x.example/functions/v1/hook", {
        method,
        headers,
        ...(method === "POST" && { body: content }),
      }),
    );
    return { status: response.status, body: await response.json() };
  };
  return { app, post, clock, lines, sent: () => transport.sent.map(({ payload }) => payload) };
}

/** How each sender signs a body, by its own library. */
const senders: {
  name: string;
  verify: (...secrets: (string | undefined)[]) => WebhookScheme;
  sign: (secret: string, content?: string, id?: string) => Promise<Record<string, string>>;
  hasTime: boolean;
}[] = [
  {
    name: "Standard Webhooks",
    verify: (...secrets) => verifyStandardWebhooks({ secrets }),
    sign: (secret, content = body, id = "msg_1") =>
      Promise.resolve(standard("webhook", new Webhook(secret), id, content)),
    hasTime: true,
  },
  {
    name: "Svix",
    verify: (...secrets) => verifySvix({ secrets }),
    sign: (secret, content = body, id = "msg_1") =>
      Promise.resolve(standard("svix", new SvixWebhook(secret), id, content)),
    hasTime: true,
  },
  {
    name: "Stripe",
    verify: (...secrets) => verifyStripe({ secrets }),
    sign: async (secret, payload = body) => ({
      "stripe-signature": await new Stripe("sk_test_x").webhooks.generateTestHeaderStringAsync({
        payload,
        secret,
      }),
    }),
    hasTime: true,
  },
  {
    name: "GitHub",
    verify: (...secrets) => verifyGithub({ secrets }),
    sign: async (secret, content = body, id = "72d3162e-cc78-11e3-81ab-4c9367dc0958") => ({
      "x-hub-signature-256": await signGithub(secret, content),
      "x-github-delivery": id,
      "x-github-event": "push",
    }),
    hasTime: false,
  },
];

function standard(
  prefix: string,
  library: { sign(id: string, at: Date, content: string): string },
  id: string,
  content: string,
) {
  const at = new Date();
  return {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(Math.floor(at.getTime() / 1000)),
    [`${prefix}-signature`]: library.sign(id, at, content),
  };
}

for (const { name, verify, sign, hasTime } of senders) {
  Deno.test(`a webhook that ${name}'s library signed is dispatched once, however often it comes`, async () => {
    const { post, sent } = receiver({ verify: verify(OURS) });
    const headers = await sign(OURS);
    const first = await post(headers);
    assertEquals([first.status, typeof first.body.id], [202, "string"]);
    const again = await Promise.all([post(headers), post(await sign(OURS))]);
    assertEquals(again.map(({ status, body }) => [status, body.id]), [
      ...[[202, first.body.id], [202, first.body.id]],
    ]);
    assertEquals(sent(), [JSON.parse(body)]);
  });

  Deno.test(`${name}: another secret, another body or no signature is refused`, async () => {
    const { post, sent, lines } = receiver({ verify: verify(OURS) });
    const right = await sign(OURS);
    const cases: [Record<string, string>, string][] = [
      [await sign(OTHER), body],
      [right, `${body} `],
      [right, body.replace("€", "$")],
      [right, ""],
      [{}, body],
      ...Object.keys(right).filter((header) => header !== "x-github-event").map((
        header,
      ): [Record<string, string>, string] => [{ ...right, [header]: "v1,AAAA" }, body])
        .filter(([headers]) => headers["x-github-delivery"] !== "v1,AAAA"),
    ];
    for (const [headers, content] of cases) {
      const { status, body } = await post(headers, content);
      assertEquals([status, body.code], [401, "invalid_signature"]);
    }
    assertEquals(sent(), []);
    assertEquals(lines.some((line) => line.includes(OURS.slice(6))), false);
  });

  Deno.test(`${name}: during a rotation the old secret and the new one are right`, async () => {
    const { post } = receiver({ verify: verify(NEXT, OURS, undefined) });
    assertEquals((await post(await sign(OURS))).status, 202);
    const other = JSON.stringify({ ...JSON.parse(body), id: "evt_2" });
    assertEquals((await post(await sign(NEXT, other, "msg_2"), other)).status, 202);
    assertEquals((await post(await sign(OTHER))).status, 401);
  });

  if (hasTime) {
    Deno.test(`${name}: a signature of more than 5 minutes ago, or ahead, is refused`, async () => {
      const { post, clock } = receiver({ verify: verify(OURS) });
      const headers = await sign(OURS);
      for (const [at, status] of [[301_500, 401], [-302_000, 401], [290_000, 202]] as const) {
        clock.at = at;
        assertEquals((await post(headers)).status, status);
      }
    });
  }
}

Deno.test("a repeated event that has changed is accepted, and the first one stands", async () => {
  const { post, sent } = receiver({ verify: verifyStripe({ secrets: [OURS] }) });
  const stripe = senders.find(({ name }) => name === "Stripe");
  const content = (pending: number) => JSON.stringify({ id: "evt_1", pending_webhooks: pending });
  for (const pending of [2, 1]) {
    const headers = await stripe?.sign(OURS, content(pending)) ?? {};
    assertEquals((await post(headers, content(pending))).status < 300, true);
  }
  assertEquals(sent(), [{ id: "evt_1", pending_webhooks: 2 }]);
});

Deno.test("the ids of two senders are kept apart, for one type of message too", async () => {
  const shared = new InMemoryTransport();
  const own = () => ({ id: "17", type: null, sentAt: null });
  const apps = [
    receiver({}, shared),
    receiver({ verify: verifySvix({ secrets: [OURS] }) }, shared),
    receiver({ verify: own }, shared),
    receiver({ verify: own, source: "shop" }, shared),
    receiver({ source: "bank" }, shared),
  ];
  for (const { post } of apps) {
    const headers = standard("webhook", new Webhook(OURS), "17", body);
    assertEquals((await post(headers)).status, 202);
    assertEquals((await post(headers)).status, 202);
  }
  assertEquals(shared.sent.length, apps.length);
});

Deno.test("a repetition that has changed is logged with its sender", async () => {
  const { post, lines } = receiver({ verify: () => ({ id: "17", type: null, sentAt: null }) });
  assertEquals((await post({}, "{}")).status, 202);
  assertEquals((await post({}, '{"n":1}')).body, { duplicate: true });
  const line = lines.map((line) => JSON.parse(line)).find(({ event }) =>
    event === "webhook_duplicate"
  );
  assertEquals([line?.type, line?.source, line?.webhook], ["Received", "own", "17"]);
});

Deno.test("a body is parsed once, however often it is read", async () => {
  const seen: unknown[] = [];
  const { post } = receiver({
    payload: (webhook) => {
      seen.push(webhook.body, webhook.body);
      return { read: seen.length };
    },
  });
  await post(standard("webhook", new Webhook(OURS), "1", body));
  assertEquals([seen.length, seen[0] === seen[1]], [2, true]);
});

Deno.test("payload chooses what is dispatched, and undefined ignores a webhook", async () => {
  const { post, sent } = receiver({
    payload: ({ id, type, body }) => type === "order.paid" ? { id, ...body as object } : undefined,
  });
  const sign = (content: string, id: string) => standard("webhook", new Webhook(OURS), id, content);
  assertEquals((await post(sign(body, "msg_1"))).status, 202);
  const other = '{"type":"order.made"}';
  assertEquals(await post(sign(other, "msg_2"), other), { status: 200, body: { ignored: true } });
  assertEquals(sent().length, 1);
});

Deno.test("huge bodies, other methods, and bodies that are no JSON are refused", async () => {
  const { post, sent } = receiver({});
  const sign = (content: string) => standard("webhook", new Webhook(OURS), "msg_1", content);
  const huge = JSON.stringify({ x: "y".repeat(20_000) });
  assertEquals((await post(sign(huge), huge)).status, 413);
  const stream = () => new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1_000)) });
  assertEquals((await post(sign("x"), stream())).status, 413);
  assertEquals((await post({}, body, "GET")).status, 405);
  for (const content of ["no JSON", '{"n":12345678901234567890}', '{"a":"\\u0000"}', "[1]"]) {
    assertEquals((await post(sign(content), content)).status, 400, content);
  }
  assertEquals(sent(), []);
});

Deno.test("another method is told which one there is", async () => {
  const { app } = receiver({});
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
    const { status, headers } = await app.fetch(new Request("https://x.example/hook", { method }));
    assertEquals([status, headers.get("allow")], [405, "POST"], method);
  }
});

Deno.test("a text that is not UTF-8 is refused instead of changed", async () => {
  const { post, sent } = receiver({
    verify: () => ({ id: "1", type: null, sentAt: null }),
    payload: ({ text }) => ({ text }),
  });
  const { status, body: problem } = await post({}, new Uint8Array([0x22, 0xff, 0x22]));
  assertEquals([status, problem.message], [400, "The body is not UTF-8"]);
  assertEquals(sent(), []);
});

Deno.test("a verify of the project's own decides, and what it throws is not shown", async () => {
  const { post, lines } = receiver({
    verify: ({ headers }) => {
      if (headers.get("x-token") !== "right") throw new Error("the token was wrong: 42");
      return { id: headers.get("x-id") ?? "", type: null, sentAt: null };
    },
  });
  assertEquals((await post({ "x-token": "right", "x-id": "1" })).status, 202);
  const refused = await post({ "x-token": "wrong" });
  assertEquals(refused, {
    status: 401,
    body: { code: "invalid_signature", message: "The webhook is refused" },
  });
  assertStringIncludes(lines.join(), "42");
  assertEquals((await post({ "x-token": "right" })).status, 401);
});

Deno.test("a scheme without a secret is refused at the start", () => {
  assertThrows(
    () => verifyStripe({ secrets: [undefined, ""] }),
    RangeError,
    "verify: secrets: stripe needs 1 to 5 secrets (0 were given)",
  );
  assertThrows(() => verifyGithub({ secret: "x" } as never), RangeError, "secret");
});

Deno.test("a secret of another form is named at the start, by its place and without its value", () => {
  for (const verify of [verifyStandardWebhooks, verifySvix]) {
    const error = assertThrows(
      () => verify({ secrets: [OURS, undefined, "whsec_short-secret"] }),
      RangeError,
      "verify: secrets[2]: has to be whsec_ and base64 of 16 to 256 bytes",
    );
    assertEquals(error.message.includes("short"), false);
  }
  assertEquals(verifyStripe({ secrets: ["whsec_any-text"] }).secrets, ["whsec_any-text"]);
});

Deno.test("a source of another form is refused at the start", () => {
  for (const source of ["", "a:b", "x".repeat(41), 7]) {
    assertThrows(() => receiver({ source: source as string }), RangeError, "source: has to be");
  }
});
