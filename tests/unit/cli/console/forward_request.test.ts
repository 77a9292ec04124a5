/** Where the console's server passes requests on to. */

import { assertEquals } from "@std/assert";
import { resolveTarget } from "../../../../cli/console/forward-request.ts";

const UPSTREAM = { url: "https://abc.supabase.co/", secretKey: "k", prefix: "" };

Deno.test("the slash of a lane is passed on as it is written", () => {
  for (const path of ["/queues/reports%2Facme/pause", "/queues/reports%2Fa%252Fb"]) {
    assertEquals(
      resolveTarget(UPSTREAM, path)?.href,
      `https://abc.supabase.co/functions/v1/messenger${path}`,
    );
  }
});

Deno.test("a path leads below the function messenger, with its query as it is", () => {
  const resolved = resolveTarget(UPSTREAM, "/queues/a%3Ab?limit=5&error=a%2Fb&x=../..");
  assertEquals(
    resolved?.href,
    "https://abc.supabase.co/functions/v1/messenger/queues/a%3Ab?limit=5&error=a%2Fb&x=../..",
  );
  assertEquals(resolveTarget(UPSTREAM, "")?.pathname, "/functions/v1/messenger");
});

Deno.test("dots, slashes and backslashes in any writing lead nowhere", () => {
  const paths = [
    ...["/..", "/../dispatch", "/queues/../../tick", "/./queues", "//evil.example", "/a//b"],
    ...[
      "/%2e%2e/dispatch",
      "/%2E./tick",
      "/.%2e/tick",
      "/messages/a%2fb",
      "/queues/a%2fb%2fc",
      "/queues/a%2f..",
      "/queues/a%2f%2e%2e/x",
      "/queues/..%2fdispatch",
      "/queues/a%5Cb",
      "/a\\b",
    ],
    ...["/queues/%00"],
  ];
  for (const path of paths) assertEquals(resolveTarget(UPSTREAM, path), null, path);
});

Deno.test("no path changes the host", () => {
  for (const path of ["@evil.example/", ".evil.example/", ":80/", "x"]) {
    assertEquals(resolveTarget(UPSTREAM, path), null, path);
  }
});
