/** Options of a transport of another project: each wrong one is named where the project starts. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  supabaseProject,
  type SupabaseProjectOptions,
} from "../../../supabase/functions/_shared/symphony/index.ts";

const right = { url: "https://abcdefgh.supabase.co", key: "sb_secret_x" };

const wrong: [Record<string, unknown>, string][] = [
  [{ ...right, url: "abcdefgh" }, "url: has to be the project's URL, https://<ref>.supabase.co"],
  [{ ...right, url: "ftp://a.example" }, "url: has to be the project's URL"],
  [{ ...right, url: 7 }, "url: has to be the project's URL"],
  [{ ...right, key: 7 }, "key: has to be a text; got 7"],
  [{ ...right, key: "sb_publishable_x" }, "key: is a publishable key; it has to be a secret key"],
  [{ ...right, outbox: "no" }, 'outbox: has to be true or false; got "no"'],
  [{ ...right, prefix: 1 }, "prefix: has to be a text; got 1"],
  [{ ...right, timeoutMs: 0 }, "timeoutMs: has to be a number of ms, more than 0; got 0"],
  [{ ...right, secret: "x" }, "secret: no such option"],
];
for (const [options, message] of wrong) {
  Deno.test(`supabaseProject refuses ${message.split(":")[0]}: ${JSON.stringify(options)}`, () => {
    assertThrows(
      () => supabaseProject(options as unknown as SupabaseProjectOptions),
      RangeError,
      `supabaseProject: ${message}`,
    );
  });
}

Deno.test("a transport without its secrets starts, sends nothing, and says which one is missing", async () => {
  const unset = supabaseProject({ url: undefined, key: undefined });
  assertEquals(unset.outbox, true);
  await assertRejects(
    async () => await unset.publish([], new AbortController().signal),
    Error,
    "url: is missing",
  );
  const [problem] = await unset.check([]);
  assertEquals([problem?.name, problem?.problem], ["url", "is missing"]);
});
