/** The messages that come with a project over HTTP: closed as they are, and EmailMessage opened by its own example. */

import { assertEquals } from "@std/assert";
import { asStranger, asUser, refusal, written } from "../support/frontend.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const MESSAGES = new URL("../../supabase/functions/_messages/", import.meta.url);
const OWN = "ada@example.org";
const mail = (payload: object = {}) => ({
  type: "EmailMessage",
  payload: { to: OWN, template: "welcome", ...payload },
});

/** The mails that the mail API got, with their keys. */
const mails: { to: string; key: string | null }[] = [];
const mailApi = Deno.serve({ port: 0, onListen() {} }, async (request) => {
  const { to } = await request.json();
  mails.push({ to, key: request.headers.get("idempotency-key") });
  return new Response(null, { status: 202 });
});
const env = { MAIL_API_URL: `http://127.0.0.1:${mailApi.addr.port}/`, MAIL_API_KEY: "k" };
Deno.test.beforeEach(() => void mails.splice(0));
Deno.test.afterAll(() => mailApi.shutdown());

testsOnStack({ messages: MESSAGES.pathname, env }, (test) => {
  test("as they are shipped, messages are refused to everybody but backends, in every way in", async (stack) => {
    const webhook = { type: "WebhookMessage", payload: { url: "https://example.org/" } };
    const daily = { type: "cron", config: { cron: "@daily" } };
    for (
      const as of [
        await asUser(stack, { email: OWN }),
        await asUser(stack, { isAnonymous: true }),
        asStranger(stack),
      ]
    ) {
      for (const body of [mail(), webhook, { ...mail(), schedule: daily }]) {
        assertEquals(await refusal(await stack.post("dispatch", body, as)), [
          ...[403, "forbidden", ["type"]],
        ]);
      }
      const many = await stack.post("dispatch", [mail(), mail()], as);
      assertEquals(await refusal(many), [403, "forbidden", [0, "type"]]);
    }
    const batch = { name: "mails", messages: [mail()] };
    const user = await asUser(stack, { email: OWN });
    assertEquals(await refusal(await stack.post("dispatch/batches", batch, user)), [
      ...[403, "forbidden", ["messages", 0, "type"]],
    ]);
    assertEquals(await written(stack), 0);

    const [id] = await stack.dispatch(mail());
    await stack.tick();
    assertEquals(mails, [{ to: OWN, key: `symphony-${id}` }]);
  });
});

/** The project with EmailMessage as its docstring's example opens it, in a folder of its own. */
async function openedMessages(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-opened-" });
  const text = await Deno.readTextFile(new URL("email.ts", MESSAGES));
  const [, example = ""] = /```ts\n([^]*?) \* ```/.exec(text) ?? [];
  const rule = example.replace(/^ \* ?/gm, "");
  assertEquals(rule.startsWith("access: "), true, rule);
  const opened = text.replace('type: "EmailMessage",', (type) => `${type}\n${rule}`)
    .replaceAll('"../_shared/', `"${new URL("../_shared/", MESSAGES).href}`);
  await Deno.writeTextFile(`${folder}/email.ts`, opened);
  await Deno.writeTextFile(
    `${folder}/mod.ts`,
    'import { EmailMessage } from "./email.ts";\nexport const messages = [EmailMessage];\n',
  );
  return folder;
}

const opened = await openedMessages();
Deno.test.afterAll(() => Deno.remove(opened, { recursive: true }));

testsOnStack({ messages: opened, env }, (test) => {
  test("opened by its example, EmailMessage goes to the user's own address, from one template", async (stack) => {
    const ada = await asUser(stack, { email: OWN });
    assertEquals((await stack.post("dispatch", mail(), ada)).status, 202);
    const refused: [object, Record<string, string>][] = [
      [mail({ to: "bob@example.org" }), ada],
      [mail({ to: "ADA@example.org" }), ada],
      [mail({ template: "invoice" }), ada],
      [{ type: "EmailMessage", payload: { to: OWN } }, ada],
      [mail(), await asUser(stack)],
      [mail(), await asUser(stack, { email: OWN, isAnonymous: true })],
      [mail(), asStranger(stack)],
    ];
    for (const [body, as] of refused) {
      assertEquals(
        await refusal(await stack.post("dispatch", body, as)),
        [403, "forbidden", ["type"]],
        JSON.stringify(body),
      );
    }
    await stack.tick();
    assertEquals(mails.map(({ to }) => to), [OWN]);
  });

  test("EmailMessage refuses another address, template, size, and options that are not opened", async (stack) => {
    const ada = await asUser(stack, { email: OWN });
    const wrong: [object, unknown[]][] = [
      [mail({ to: "ada" }), [400, "invalid_payload", ["payload", "to"]]],
      [mail({ to: `${"a".repeat(260)}@example.org` }), [400, "invalid_payload", ["payload", "to"]]],
      [mail({ template: "" }), [400, "invalid_payload", ["payload", "template"]]],
      [mail({ data: { text: "x".repeat(20_000) } }), [400, "invalid_payload", ["payload"]]],
      [{ ...mail(), delay: "1h" }, [403, "forbidden", ["delay"]]],
      [{ ...mail(), queue: "other" }, [403, "forbidden", ["queue"]]],
    ];
    for (const [body, expected] of wrong) {
      assertEquals(await refusal(await stack.post("dispatch", body, ada)), expected);
    }
    assertEquals(await written(stack), 0);
  });

  test("EmailMessage's rate limit holds for each user, and a refused message does not count", async (stack) => {
    const ada = await asUser(stack, { email: OWN });
    await refused(stack, mail({ to: "bob@example.org" }), ada, 403);
    for (let n = 0; n < 5; n++) {
      assertEquals((await stack.post("dispatch", mail(), ada)).status, 202);
    }
    const sixth = await stack.post("dispatch", mail(), ada);
    assertEquals(Number(sixth.headers.get("retry-after")) > 0, true);
    assertEquals((await refusal(sixth)).slice(0, 2), [429, "rate_limited"]);
    // An array counts each of its messages, and one that is larger than the limit can never pass.
    const bob = await asUser(stack, { email: OWN });
    await refused(stack, Array(6).fill(mail()), bob, 400);
    assertEquals((await stack.post("dispatch", Array(3).fill(mail()), bob)).status, 202);
    await refused(stack, Array(3).fill(mail()), bob, 429);
    assertEquals((await stack.post("dispatch", Array(2).fill(mail()), bob)).status, 202);
    assertEquals(await stack.count(), 10);
    // Backends have no limit.
    assertEquals((await stack.dispatch(Array(20).fill(mail()))).length, 20);
  });
});

async function refused(
  stack: TestStack,
  body: unknown,
  as: Record<string, string>,
  status: number,
): Promise<void> {
  const [given] = await refusal(await stack.post("dispatch", body, as));
  assertEquals(given, status);
}
