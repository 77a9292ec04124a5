/** Options of a transport of another project: each wrong one is named where the project starts. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  supabaseProject,
  type SupabaseProjectOptions,
} from "../../../supabase/functions/_shared/symphony/index.ts";

import { published } from "../../contract/engine_sending_contract.ts";

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

Deno.test("behind a message whose fate is unknown none is published, so that the order of groups holds", async () => {
  const sizes: number[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { length } = await request.json();
      sizes.push(length);
      const [status, code] = length === 4 ? [400, "22P02"] as const : [503, "57P01"] as const;
      return Response.json({ code, message: "", details: null, hint: null }, { status });
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const messages = [1, 2, 3, 4].map((id) => published(id, { groupKey: "g" }));
  const signal = new AbortController().signal;
  const fates = await supabaseProject({ url, key: "sb_secret_x" }).publish(messages, signal);
  assertEquals(fates.map(({ kind }) => kind), ["unknown", "unknown", "unknown", "unknown"]);
  assertEquals(sizes, [4, 2]);
});
