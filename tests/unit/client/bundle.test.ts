/** The client as a browser gets it. */

import { assertEquals } from "@std/assert";
import { bundle } from "../../../examples/bundle.ts";

Deno.test("the client is a bundle of less than 9 kB, minified, and imports nothing", async () => {
  const text = await bundle(new URL("../../../client/mod.ts", import.meta.url));
  const { length } = new TextEncoder().encode(text);
  assertEquals([length < 9_000, length], [true, length]);
  assertEquals(text.match(/\bimport\b/g), null);
});

Deno.test("neither zod nor a handler gets into a frontend that imports a definition as a type", async () => {
  const text = await bundle(new URL("./fixtures/frontend.ts", import.meta.url));
  assertEquals(text.includes("EmailMessage"), true);
  assertEquals(/MAIL_API|zod|safeParse/.test(text), false);
  const { length } = new TextEncoder().encode(text);
  assertEquals([length < 9_200, length], [true, length]);
});
