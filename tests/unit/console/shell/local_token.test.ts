/** The token in the address of the command `console`. */

import { assertEquals } from "@std/assert";
import { tokenOf } from "../../../../console/shell/local-token.ts";

Deno.test("a hash is a token of the command, or a place of the console", () => {
  assertEquals(tokenOf("#token=a-b_1"), { kind: "token", token: "a-b_1" });
  assertEquals(tokenOf("#once=ab"), { kind: "once", token: "ab" });
  for (const hash of ["", "#/", "#/queues?token=ab", "#token=", "#token=a b", "#other=ab"]) {
    assertEquals(tokenOf(hash), null, hash);
  }
});
