/** When a resource is asked for again, and what counts as an answer of the API. */

import { assertEquals, assertRejects } from "@std/assert";
import { createApi } from "../../../console/api/api-client.ts";
import { problemOf } from "../../../console/api/api-problem.ts";
import { waitMs } from "../../../console/api/poll.ts";

Deno.test("a resource that is polled rarely is asked for again soon after an error", () => {
  const fiveMinutes = 300_000;
  assertEquals([0, 1, 2, 3, 9].map((failures) => waitMs(fiveMinutes, failures)), [
    ...[fiveMinutes, 10_000, 20_000, 40_000, 60_000],
  ]);
});

Deno.test("a resource that is polled often is polled once a minute at last while requests fail", () => {
  assertEquals([0, 1, 2, 4, 9].map((failures) => waitMs(5_000, failures)), [
    ...[5_000, 10_000, 20_000, 60_000, 60_000],
  ]);
  assertEquals(waitMs(null, 1), 10_000);
});

Deno.test("only the API says that an object does not exist, and no gateway before it", () => {
  const gone = problemOf(404, { code: "not_found", message: "id: there is no message 7" });
  assertEquals(gone.isNotFound, true);
  for (const body of [undefined, "<h1>404</h1>", { code: "NOT_FOUND", message: "No function" }]) {
    assertEquals(problemOf(404, body).isNotFound, false);
  }
  assertEquals(problemOf(500, { code: "not_found" }).isNotFound, false);
});

Deno.test("a request ends with its signal while Auth does not answer", async () => {
  const { promise: never } = Promise.withResolvers<Record<string, string>>();
  const asked = new AbortController();
  const api = createApi({ baseUrl: "http://127.0.0.1:9", headers: () => never });
  const call = api.GET("/access", { signal: asked.signal });
  asked.abort(new DOMException("given up", "AbortError"));
  await assertRejects(() => call, DOMException, "given up");
});
