/** The releases of the package. */

import { assertEquals, assertMatch } from "@std/assert";
import { releases, sha256Of } from "../../../cli/releases.ts";
import { compareVersions } from "../../../supabase/functions/_shared/symphony/runtime/versions.ts";

Deno.test("the releases are in order, each with the hash of its SQL", () => {
  const found = releases();
  assertEquals(found[0]?.version, "0.1.0");
  for (const [at, { version, sql, sha256 }] of found.entries()) {
    assertMatch(sql, /messenger_version/);
    assertEquals(sha256, sha256Of(sql));
    const before = found[at - 1];
    if (before) assertEquals(compareVersions(before.version, version) < 0, true);
  }
});

Deno.test("line ends do not change a hash", () => {
  assertEquals(sha256Of("a\r\nb\r\n"), sha256Of("a\nb\n"));
});
