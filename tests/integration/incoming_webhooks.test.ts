/** A function that takes in webhooks, made by the door for edge functions, over the real database. */

import { assertEquals } from "@std/assert";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import {
  createWebhook,
  verifyStandardWebhooks,
} from "../../supabase/functions/_shared/symphony/edge.ts";
import { defineMessage } from "../../supabase/functions/_shared/symphony/index.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const SECRET = `whsec_${btoa("our secret, which has 32 bytes !")}`;

const Received = defineMessage({
  type: "Received",
  schema: z.object({ n: z.number() }),
  handler: () => {},
});

/** The function, with the environment that the platform gives it. */
function functionOf(url: string, stack: TestStack) {
  Deno.env.set("SUPABASE_URL", url);
  Deno.env.set("SUPABASE_SECRET_KEYS", JSON.stringify({ default: stack.secretKey }));
  const { fetch } = createWebhook({
    verify: verifyStandardWebhooks({ secrets: [SECRET] }),
    message: Received,
    options: { queue: "received" },
  });
  return async (id: string, n: unknown) => {
    const at = new Date();
    const body = JSON.stringify({ n });
    const response = await fetch(
      new Request("https://x.example/functions/v1/hook", {
        method: "POST",
        body,
        headers: {
          "webhook-id": id,
          "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
          "webhook-signature": new Webhook(SECRET).sign(id, at, body),
        },
      }),
    );
    return { response, body: await response.json() };
  };
}

testsOnStack({}, (test) => {
  test("ten repetitions at once write one message", async (stack) => {
    const post = functionOf(stack.url, stack);
    const answers = await Promise.all(Array.from({ length: 10 }, () => post("msg_1", 1)));
    assertEquals(new Set(answers.map(({ response }) => response.status)), new Set([202]));
    assertEquals(new Set(answers.map(({ body }) => body.id)).size, 1);
    const rows = await stack.sql`select type, queue, payload from messenger_messages`;
    assertEquals([...rows], [{ type: "Received", queue: "received", payload: { n: 1 } }]);
  });

  test("an id that came with another body is known", async (stack) => {
    const post = functionOf(stack.url, stack);
    assertEquals((await post("msg_1", 1)).response.status, 202);
    const again = await post("msg_1", 2);
    assertEquals([again.response.status, again.body], [200, { duplicate: true }]);
    assertEquals(await stack.count(), 1);
  });

  test("a payload that does not fit is named, and a database that is away asks for a repetition", async (stack) => {
    const { response, body } = await functionOf(stack.url, stack)("msg_1", "x");
    assertEquals([response.status, body.code, body.issues[0].path], [
      ...[400, "invalid_payload", ["payload", "n"]],
    ]);
    const away = await functionOf("http://127.0.0.1:9", stack)("msg_1", 1);
    assertEquals([away.response.status, away.response.headers.get("retry-after")], [503, "2"]);
  });
});
