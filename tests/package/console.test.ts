/** The command `console` of the installed package, on Node: it finds its page, serves it, and ends with Ctrl-C. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import { installedPackage } from "../support/package.ts";

const COMMAND = "node_modules/symphony-messenger/lib/bin.js";

Deno.test("under Node 20 the installed command serves the page and passes requests on", async () => {
  await using folder = await installedPackage(["zod@4.6.7"]);
  const keys: (string | null)[] = [];
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using api = Deno.serve(options, (request) => {
    keys.push(request.headers.get("apikey"));
    return Response.json({ path: new URL(request.url).pathname });
  });
  const child = new Deno.Command(await nodePath(20), {
    args: [COMMAND, "console", "--no-open", "--json", "--port", "0"],
    cwd: folder.path,
    env: { SUPABASE_URL: `http://127.0.0.1:${api.addr.port}`, SUPABASE_SECRET_KEY: "sb_secret_x" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { url } = JSON.parse(await firstObject(child.stdout));
  const { origin, hash } = new URL(url);
  const token = hash.slice("#token=".length);
  const page = await fetch(`${origin}/`).then((answer) => answer.text());
  const [script] = /app-[\w]+\.js/.exec(page) ?? [];
  assertEquals((await fetchText(`${origin}/${script}`, token)).status, 200);
  const answer = await fetchText(`${origin}/api/queues`, token);
  assertEquals(JSON.parse(answer.text), { path: "/functions/v1/messenger/queues" });
  assertEquals(keys, ["sb_secret_x"]);
  assertStringIncludes(page, "Symphony Messenger");
  child.kill("SIGINT");
  assertEquals((await child.status).code, 0);
});

async function fetchText(
  url: string,
  token: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(url, { headers: { "x-symphony-token": token } });
  return { status: answer.status, text: await answer.text() };
}

/** The first JSON object of a stream. The rest is read until the stream ends, and thrown away. */
async function firstObject(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("}")) {
    const { value, done } = await reader.read();
    assert(!done, `the command ended: ${text}`);
    text += value;
  }
  void (async () => {
    while (!(await reader.read()).done);
  })().catch(() => {});
  return text;
}
