/** The order of versions. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { compareVersions } from "../../../supabase/functions/_shared/symphony/runtime/versions.ts";

const ASCENDING = [
  ...[
    "0.1.0-alpha",
    "0.1.0-alpha.1",
    "0.1.0-alpha.2",
    "0.1.0-alpha.10",
    "0.1.0-beta",
    "0.1.0-rc.1",
  ],
  ...["0.1.0", "0.1.1", "0.2.0", "0.10.0", "1.0.0-1", "1.0.0", "10.0.0"],
];

Deno.test("versions are ordered as Semantic Versioning says", () => {
  const shuffled = [...ASCENDING].reverse().sort(compareVersions);
  assertEquals(shuffled, ASCENDING);
  for (const version of ASCENDING) assertEquals(compareVersions(version, version), 0);
  assertEquals(compareVersions("1.0.0+build.1", "1.0.0+build.2"), 0);
  assert(compareVersions("0.1.0-alpha", "0.1.0") < 0);
});

Deno.test("what is no version is refused with its text", () => {
  for (const text of ["", "1.2", "v1.2.3", "1.2.3.4"]) {
    assertThrows(() => compareVersions(text, "1.0.0"), RangeError, `(${JSON.stringify(text)})`);
  }
});
