/** config.json beside the page. */

import { assertEquals, assertThrows } from "@std/assert";
import { checkSettings } from "../../../../console/shell/settings.ts";

const HOSTED = { url: "https://abc.supabase.co/", publishableKey: "sb_publishable_x" };

Deno.test("a static host's settings need a URL and a publishable key", () => {
  assertEquals(checkSettings({ ...HOSTED, prefix: "bus" }), {
    mode: "hosted",
    url: "https://abc.supabase.co",
    publishableKey: "sb_publishable_x",
    prefix: "bus-",
    signIn: ["password"],
  });
  assertThrows(() => checkSettings({ ...HOSTED, url: "abc" }), Error, "config.json: url:");
  assertThrows(() => checkSettings({ ...HOSTED, publishableKey: "" }), Error, "publishableKey:");
  const github = checkSettings({ ...HOSTED, signIn: ["github"] });
  assertEquals("signIn" in github && github.signIn, ["github"]);
  for (const signIn of [[], "github", ["Git Hub"], [1]]) {
    assertThrows(() => checkSettings({ ...HOSTED, signIn }), Error, "config.json: signIn:");
  }
  assertThrows(() => checkSettings(null), Error, "url:");
});

Deno.test("a secret key on a static host is refused before it is used", () => {
  assertThrows(
    () => checkSettings({ ...HOSTED, publishableKey: "sb_secret_x" }),
    Error,
    "is a secret key",
  );
});

Deno.test("the command's settings tell whether it is read-only", () => {
  const local = { mode: "local", readOnly: true, project: "http://127.0.0.1:54321" };
  assertEquals(checkSettings(local), local as never);
});
