/** The resources of the management API: what a request loads. */

import { assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { createMessenger } from "../../../supabase/functions/_shared/symphony/index.ts";
import {
  managementApps,
  resourcesAt,
} from "../../../supabase/functions/_shared/symphony/management/index.ts";
import {
  type Resource,
  RESOURCES,
} from "../../../supabase/functions/_shared/symphony/management/resources.ts";

/** The paths of an app that has these resources, sorted. */
async function pathsOf(resources: readonly Resource[]): Promise<string[]> {
  const supabase = createClient("http://127.0.0.1", "none");
  const { bus, log } = createMessenger({ supabase, messages: [] });
  const make = managementApps({ supabase, bus, log }, { adminRoles: [], readOnlyRoles: [] });
  const { openAPIRegistry } = await make(resources);
  const paths = openAPIRegistry.definitions.flatMap((one) =>
    one.type === "route" ? [one.route.path] : []
  );
  return [...new Set(paths)].sort();
}

const rootOf = (path: string) => path.split("/")[1] ?? "";

Deno.test("each resource names the first parts of its paths, and no others", async () => {
  for (const resource of RESOURCES) {
    const roots = new Set((await pathsOf([resource])).map(rootOf));
    assertEquals([...roots].sort(), [...resource.roots].sort());
  }
});

Deno.test("a request finds every endpoint whose path begins as its own, of whichever resource", async () => {
  const all = await pathsOf(RESOURCES);
  for (const root of new Set(all.map(rootOf))) {
    const found = (await pathsOf(resourcesAt(root))).filter((path) => rootOf(path) === root);
    assertEquals(found, all.filter((path) => rootOf(path) === root));
  }
});

Deno.test("the document has all resources, and a path that is none has none", () => {
  assertEquals(resourcesAt("openapi.json"), RESOURCES);
  assertEquals(["", "nothing", "constructor"].flatMap(resourcesAt), []);
});
