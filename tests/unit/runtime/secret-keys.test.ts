/** The secret keys of the environment. */

import { assertEquals } from "@std/assert";
import { secretKeys } from "../../../supabase/functions/_shared/symphony/runtime/secret-keys.ts";

const keysOf = (environment: Record<string, string>) => secretKeys((name) => environment[name]);

Deno.test("the key named default comes first, then the others by name", () => {
  const keys = JSON.stringify({ b: "kb", default: "kd", a: "ka", none: "" });
  assertEquals(keysOf({ SUPABASE_SECRET_KEYS: keys }), ["kd", "ka", "kb"]);
});

Deno.test("a single key is taken too", () => {
  assertEquals(keysOf({ SUPABASE_SECRET_KEY: "k" }), ["k"]);
});

Deno.test("an environment without keys, or with broken ones, has none", () => {
  for (const keys of ["", "null", "7", "{", '{"default":7}']) {
    assertEquals(keysOf({ SUPABASE_SECRET_KEYS: keys }), []);
  }
  assertEquals(keysOf({}), []);
});
