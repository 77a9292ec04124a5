/** The releases of the package, and the order of versions. */

import { assertEquals, assertMatch } from "@std/assert";
import { compareVersions, releases, sha256Of } from "../../../cli/releases.ts";

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

const ORDER = [
  "0.1.0-alpha",
  "0.1.0-alpha.1",
  "0.1.0-beta.2",
  "0.1.0-beta.11",
  "0.1.0",
  "0.9.0",
  "0.10.0",
  "1.0.0",
];
Deno.test("versions are ordered as Semantic Versioning says", () => {
  for (const [i, a] of ORDER.entries()) {
    for (const [j, b] of ORDER.entries()) {
      assertEquals(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
    }
  }
});
