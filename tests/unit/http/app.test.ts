/** The app that all functions share: which paths it takes. */

import { assertEquals } from "@std/assert";
import { createApp } from "../../../supabase/functions/_shared/symphony/http/app.ts";
import { createLogger } from "../../../supabase/functions/_shared/symphony/runtime/log.ts";

const log = createLogger({ level: "silent" });

function ask(path: string): Promise<number> {
  const app = createApp("tick", { maxBodyBytes: 100, log, schema: null });
  app.get("/here", (c) => c.json({}));
  return Promise.resolve(app.request(`http://localhost${path}`)).then(({ status }) => status);
}

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
