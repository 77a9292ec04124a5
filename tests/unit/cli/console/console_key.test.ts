/** The key that the command `console` is given. */

import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../../../../cli/main.ts";
import { forwardRequest } from "../../../../cli/console/forward-request.ts";

Deno.test("a badly pasted key is refused at the start, without being shown", async () => {
  for (const key of ["sb_secret_a\nb", "sb_secret_a b", "sb_secret_ä", "\u201csb_secret_a\u201d"]) {
    let note = "";
    const code = await run(["console", "--no-open", "--port", "0"], {
      print: () => {},
      note: (text) => void (note += text),
      input: () => Promise.resolve(""),
      columns: undefined,
      showsProgress: false,
      signal: AbortSignal.abort(),
      now: () => new Date(),
      variable: (name) => ({ SUPABASE_URL: "http://127.0.0.1:9", SUPABASE_SECRET_KEY: key })[name],
    });
    assertEquals(code, 2, note);
    assertMatch(note, /--secret-key: has characters that no key has/);
    assertEquals(note.includes("sb_secret"), false);
  }
});

Deno.test("the key is in no problem's text", async () => {
  const secretKey = "sb_secret_a\u0000b";
  const { status, body } = await forwardRequest(
    { url: "http://127.0.0.1:9", secretKey, prefix: "" },
    {
      method: "GET",
      target: "/queues",
      contentType: undefined,
      body: undefined,
      signal: new AbortController().signal,
    },
  );
  assertEquals([status, new TextDecoder().decode(body).includes("sb_secret")], [502, false]);
});
