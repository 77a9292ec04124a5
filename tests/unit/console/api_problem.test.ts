/** Problems of the API in the console's words. */

import { assertEquals } from "@std/assert";
import { problemOf } from "../../../console/api/api-problem.ts";

Deno.test("a path that an older release does not have is told as that, and a missing object as it is", () => {
  const told = (message: string) => problemOf(404, { code: "not_found", message }).message;
  assertEquals(
    told("There is nothing at /alerts"),
    "The functions of this project are of an older release, which does not have this.",
  );
  assertEquals(told("name: there is no alert x"), "name: there is no alert x");
});
