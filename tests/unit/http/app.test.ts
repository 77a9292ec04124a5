/** The app that all functions share: which paths it takes, and what each answer tells. */

import { assertEquals } from "@std/assert";
import { createApp } from "../../../supabase/functions/_shared/symphony/http/app.ts";
import { VERSION } from "../../../supabase/functions/_shared/symphony/runtime/version.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

const log = createLogger({ level: "silent" });

async function request(path: string, init?: RequestInit): Promise<Response> {
  const app = createApp("tick", { maxBodyBytes: 100, log, schema: null });
  app.get("/here", (c) => c.json({}));
  app.get("/broken", () => {
    throw new Error("broken");
  });
  return await app.request(`http://localhost${path}`, init);
}

const ask = async (path: string) => (await request(path)).status;

const cases: [path: string, status: number, behaviour: string][] = [
  ["/tick/here", 200, "a function takes the paths of its name"],
  ["/bus-tick/here", 200, "a function takes the paths of its name with a project's prefix"],
  ["/my-own-bus-tick/here?a=/b", 200, "a prefix may hold several words"],
  ["/bustick/here", 404, "a name that only ends like the function's is another's"],
  ["/bus-tick/there", 404, "a path that a prefixed function does not have is not found"],
  ["/here/bus-tick", 404, "a prefix counts at the beginning of a path only"],
  ["/", 404, "an empty path is not found"],
];
for (const [path, status, behaviour] of cases) {
  Deno.test(behaviour, async () => assertEquals(await ask(path), status));
}

Deno.test("each answer names the library's version, errors and refusals too", async () => {
  const answers = [
    await request("/tick/here"),
    await request("/tick/there"),
    await request("/tick/here", { method: "POST", body: "x".repeat(101) }),
    await request("/tick/broken"),
    await request("/tick/here", { method: "OPTIONS" }),
  ];
  assertEquals(answers.map(({ status }) => status), [200, 404, 413, 500, 204]);
  for (const { status, headers } of answers) {
    assertEquals([status, headers.get("symphony-version")], [status, VERSION]);
  }
});
