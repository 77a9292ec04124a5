/** Places in the hash of the address. */

import { assertEquals } from "@std/assert";
import { hrefTo, matchPath, parseHash, pathOf } from "../../../../console/shell/router.tsx";

Deno.test("a place and its query come back out of a link", () => {
  const href = hrefTo(pathOf("queues", "a:b c"), { error: "HTTP 503 & more?", type: "", to: null });
  const { path, query } = parseHash(href);
  assertEquals(matchPath("/queues/:name", path), { name: "a:b c" });
  assertEquals([...query], [["error", "HTTP 503 & more?"]]);
});

Deno.test("an empty hash, and one of another page, are the overview", () => {
  for (const hash of ["", "#", "#/", "#section"]) assertEquals(parseHash(hash).path, "/");
  assertEquals(parseHash("#/queues/").path, "/queues");
});

Deno.test("a pattern matches whole paths only", () => {
  assertEquals(matchPath("/queues/:name", "/queues"), null);
  assertEquals(matchPath("/queues/:name", "/queues/"), null);
  assertEquals(matchPath("/queues/:name", "/queues/a/b"), null);
  assertEquals(matchPath("/queues/:name", "/queues/%E0%A4%A"), null);
  assertEquals(matchPath("/schedules/:id/edit", "/schedules/7/edit"), { id: "7" });
});
